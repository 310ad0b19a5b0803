/**
 * The entries of a directory, as far as they matter for the search for roots: types, what their names tell, and the
 * ordinals of their blobs. They are read from the bytes that Flux writes, without a string or an object for an entry:
 * JSON.parse and a check take four times as long, and a busy store holds mostly versions of large directories. Text that
 * is JSON but not written as Flux writes it is decoded as usual.
 */
import type { DirObj, EntryObj } from '../../kvs/index.ts'
import type { DigestTable } from './digest-table.ts'
import { lastEventTime, latin1, startsWith } from './event-time.ts'
import { HEX_NAME, NAME, nameBit, OTHER_NAME } from './root-kind.ts'

/** The type of an entry. BAD: not a tree object, or a dirref that Flux would not follow. */
export const ENTRY = { VAL: 0, VALREF: 1, DIRREF: 2, SYMLINK: 3, BAD: 4 } as const

/** The bit of a name that ends in `eventlog`, beside the bits of {@link nameBit}. */
export const LOG_NAME = 16384

const QUOTE = 0x22
const BACKSLASH = 0x5c

const DIR_START = Buffer.from('{"data":{')
const DIR_END = Buffer.from('},"type":"dir","ver":1}')
const DATA = Buffer.from(':{"data":')
const VAL_END = Buffer.from(',"type":"val","ver":1}')
const VALREF_END = Buffer.from(',"type":"valref","ver":1}')
const DIRREF_END = Buffer.from(',"type":"dirref","ver":1}')
const SYMLINK_END = Buffer.from(',"type":"symlink","ver":1}')
const LOG = Buffer.from('eventlog')

/** Names that are this long may have a bit. */
const NAME_LENGTHS = new Set(Object.keys(NAME).map(({ length }) => length))
const LONGEST_NAME = Math.max(...NAME_LENGTHS)
const MAY_HAVE_BIT = Uint8Array.from({ length: LONGEST_NAME + 1 }, (_, length) => Number(NAME_LENGTHS.has(length)))

export class DirEntries {
  readonly #table: DigestTable
  /** Number of entries. */
  size = 0
  /** The bits of the names of inline directories, which are no entries here. */
  inlineNames = 0
  /** For each entry: its type, the bit of its name, where its blobs end in `refs`, the time of an inline eventlog. */
  types = new Uint8Array(64)
  names = new Uint16Array(64)
  ends = new Uint32Array(64)
  times = new Float64Array(64)
  /** Ordinals of blobs; -1 for a blob that is not in the store. */
  refs = new Int32Array(256)
  #used = 0

  constructor(table: DigestTable) {
    this.#table = table
  }

  /** Read a directory as Flux writes it. @returns false when it is written in another way, or is no directory */
  read(blob: Uint8Array): boolean {
    this.#clear()
    if (!startsWith(blob, 0, DIR_START)) return false
    const end = blob.length - DIR_END.length
    if (end < DIR_START.length || !startsWith(blob, end, DIR_END)) return false
    let at = DIR_START.length
    while (at < end) {
      at = this.#entry(blob, at)
      if (at < 0) return false
      if (at === end) break
      if (blob[at++] !== 0x2c || at === end) return false
    }
    return at === end
  }

  /** Take the entries of a decoded directory. Directories that are inline in it count as part of it. */
  take(dir: DirObj): void {
    this.#clear()
    const open = [{ dir, isJobs: true }]
    for (let level = open.pop(); level; level = open.pop()) {
      for (const [name, obj] of Object.entries(level.dir.data)) {
        // What is in an inline directory tells nothing of the directory itself, except jobs in directories of jobs.
        const bit = nameBit(name)
        const own = level.dir === dir ? bit : level.isJobs && bit === HEX_NAME ? HEX_NAME : OTHER_NAME
        if (obj.type === 'dir') {
          if (level.dir === dir) this.inlineNames |= bit
          open.push({ dir: obj, isJobs: level.isJobs && (bit === HEX_NAME || bit === NAME.job) })
        } else this.#takeEntry(own | (name.endsWith('eventlog') ? LOG_NAME : 0), obj)
      }
    }
  }

  #clear(): void {
    this.size = 0
    this.inlineNames = 0
    this.#used = 0
  }

  #takeEntry(name: number, obj: Exclude<EntryObj, DirObj>): void {
    if (obj.type === 'valref' || (obj.type === 'dirref' && obj.data.length === 1)) {
      for (const blobref of obj.data) this.#ref(this.#table.ordinalOf(blobref))
      this.#add(obj.type === 'valref' ? ENTRY.VALREF : ENTRY.DIRREF, name, 0)
    } else if (obj.type === 'val') {
      this.#add(ENTRY.VAL, name, name & LOG_NAME ? lastEventTime(Buffer.from(obj.data, 'base64')) : 0)
    } else {
      this.#add(obj.type === 'symlink' ? ENTRY.SYMLINK : ENTRY.BAD, name, 0)
    }
  }

  /** Read the entry at `at`. @returns where it ends; -1 when it is not written as Flux writes it */
  #entry(blob: Uint8Array, start: number): number {
    if (blob[start] !== QUOTE) return -1
    const nameAt = start + 1
    const nameEnd = stringEnd(blob, nameAt)
    if (nameEnd < 0 || !startsWith(blob, nameEnd + 1, DATA)) return -1
    const name = bitsOf(blob, nameAt, nameEnd)
    let at = nameEnd + 1 + DATA.length
    switch (blob[at]) {
      case 0x5b: // [
        return this.#refs(blob, at, name)
      case QUOTE: {
        const end = stringEnd(blob, ++at)
        if (end < 0 || !startsWith(blob, end + 1, VAL_END)) return -1
        const text = name & LOG_NAME ? Buffer.from(latin1(blob, at, end), 'base64') : undefined
        this.#add(ENTRY.VAL, name, text ? lastEventTime(text) : 0)
        return end + 1 + VAL_END.length
      }
      case 0x7b: // {
        return this.#link(blob, at, name)
      default:
        return -1
    }
  }

  #refs(blob: Uint8Array, start: number, name: number): number {
    const before = this.#used
    const { blobrefBytes } = this.#table
    let at = start
    do {
      // After a bracket or a comma.
      at++
      if (blob[at] !== QUOTE) return -1
      const ordinal = this.#table.find(blob, at + 1)
      // A blobref of the other algorithm is not in this store.
      if (ordinal < -1) return -1
      this.#ref(ordinal)
      at += blobrefBytes + 2
      if (blob[at - 1] !== QUOTE) return -1
    } while (blob[at] === 0x2c)
    if (blob[at++] !== 0x5d) return -1
    if (startsWith(blob, at, VALREF_END)) {
      this.#add(ENTRY.VALREF, name, 0)
      return at + VALREF_END.length
    }
    if (!startsWith(blob, at, DIRREF_END)) return -1
    if (this.#used - before === 1) this.#add(ENTRY.DIRREF, name, 0)
    else {
      this.#used = before
      this.#add(ENTRY.BAD, name, 0)
    }
    return at + DIRREF_END.length
  }

  /** A symbolic link: an object of strings. */
  #link(blob: Uint8Array, start: number, name: number): number {
    let at = start
    do {
      at++
      for (const after of [0x3a, -1]) {
        if (blob[at] !== QUOTE) return -1
        const end = stringEnd(blob, at + 1)
        if (end < 0) return -1
        at = end + 1
        if (after !== -1 && blob[at++] !== after) return -1
      }
    } while (blob[at] === 0x2c)
    if (blob[at++] !== 0x7d || !startsWith(blob, at, SYMLINK_END)) return -1
    this.#add(ENTRY.SYMLINK, name, 0)
    return at + SYMLINK_END.length
  }

  #ref(ordinal: number): void {
    if (this.#used === this.refs.length) {
      const refs = new Int32Array(this.#used * 2)
      refs.set(this.refs)
      this.refs = refs
    }
    this.refs[this.#used++] = ordinal
  }

  #add(type: number, name: number, time: number): void {
    const { size } = this
    if (size === this.types.length) {
      const [types, names, ends, times] = [this.types, this.names, this.ends, this.times]
      this.types = new Uint8Array(size * 2)
      this.names = new Uint16Array(size * 2)
      this.ends = new Uint32Array(size * 2)
      this.times = new Float64Array(size * 2)
      this.types.set(types)
      this.names.set(names)
      this.ends.set(ends)
      this.times.set(times)
    }
    this.types[size] = type
    this.names[size] = name
    this.ends[size] = this.#used
    this.times[size] = time
    this.size++
  }
}

/** Where the string that begins at `at` ends: the place of its closing quote, or -1. */
function stringEnd(blob: Uint8Array, at: number): number {
  for (let i = at; i < blob.length; i++) {
    const byte = blob[i]
    if (byte === QUOTE) return i
    if (byte === BACKSLASH) i++
  }
  return -1
}

function bitsOf(blob: Uint8Array, at: number, end: number): number {
  const length = end - at
  if (length === 4 && isHex(blob, at)) return HEX_NAME
  const isLog = length >= LOG.length && startsWith(blob, end - LOG.length, LOG) ? LOG_NAME : 0
  if (length > LONGEST_NAME || MAY_HAVE_BIT[length] === 0) return OTHER_NAME | isLog
  return nameBit(latin1(blob, at, end)) | isLog
}

function isHex(blob: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const byte = blob[i] as number
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false
  }
  return true
}
