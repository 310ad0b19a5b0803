/**
 * The entries of a directory, as far as they matter for the search for roots: types, what their names tell, and the
 * ordinals of their blobs. They are read from the bytes that Flux writes, without a string or an object for an entry:
 * JSON.parse and a check take four times as long, and a busy store holds mostly versions of large directories. Text that
 * is JSON but not written as Flux writes it is decoded as usual.
 */
import type { DirObj, EntryObj } from '../../kvs/index.ts'
import type { DigestTable } from './digest-table.ts'
import { commonStart, type DirVersion, DirVersions, isEqual } from './dir-versions.ts'
import { ENTRY, EntryList } from './entry-list.ts'
import { lastEventTime, latin1, startsWith } from './event-time.ts'
import { HEX_NAME, NAME, nameBit, OTHER_NAME } from './root-kind.ts'

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

/** After so many entries that differ, a new version is read to its end. */
const MOST_CHANGED = 16

export class DirEntries extends EntryList {
  readonly #table: DigestTable
  readonly #versions = new DirVersions()
  /** The bits of the names of inline directories, which are no entries here. */
  inlineNames = 0

  constructor(table: DigestTable) {
    super()
    this.#table = table
  }

  /** Read a directory as Flux writes it. @returns false when it is written in another way, or is no directory */
  read(blob: Uint8Array): boolean {
    this.clear()
    this.inlineNames = 0
    if (!startsWith(blob, 0, DIR_START)) return false
    const end = blob.length - DIR_END.length
    if (end < DIR_START.length || !startsWith(blob, end, DIR_END)) return false
    const text = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
    const version = this.#versions.find(text)
    let at = version === undefined ? DIR_START.length : this.#takeStart(text, end, version)
    for (let changed = 0; at < end; changed++) {
      if (version !== undefined && changed > 0 && changed <= MOST_CHANGED && this.#takeRest(text, at, version)) {
        at = end
        break
      }
      at = this.#entry(blob, at)
      if (at < 0) return false
      if (at === end) break
      if (blob[at++] !== 0x2c || at === end) return false
    }
    if (at !== end) return false
    this.#versions.keep(text, this)
    return true
  }

  /** Take the entries at the beginning that are the same in another version. @returns where the next one begins */
  #takeStart(text: Buffer, end: number, { blob, entries }: DirVersion): number {
    // An entry is the same if the next one begins at the same place, and is not what ends this directory.
    const same = entries.firstFrom(Math.min(commonStart(text, blob), end - 1) + 1) - 1
    if (same <= 0) return DIR_START.length
    this.append(entries, 0, same, 0)
    return entries.starts[same] as number
  }

  /** Take all entries from `at` on, if another version ends with the same ones. */
  #takeRest(text: Buffer, at: number, { blob, entries }: DirVersion): boolean {
    const shift = text.length - blob.length
    const from = entries.firstFrom(at - shift)
    if (entries.starts[from] !== at - shift || from === entries.size) return false
    if (!isEqual(text, at, blob, at - shift, text.length - at)) return false
    this.append(entries, from, entries.size, shift)
    return true
  }

  /** Take the entries of a decoded directory. Directories that are inline in it count as part of it. */
  take(dir: DirObj): void {
    this.clear()
    this.inlineNames = 0
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

  #takeEntry(name: number, obj: Exclude<EntryObj, DirObj>): void {
    if (obj.type === 'valref' || (obj.type === 'dirref' && obj.data.length === 1)) {
      for (const blobref of obj.data) this.ref(this.#table.ordinalOf(blobref))
      this.add(obj.type === 'valref' ? ENTRY.VALREF : ENTRY.DIRREF, name, 0, 0)
    } else if (obj.type === 'val') {
      this.add(ENTRY.VAL, name, 0, name & LOG_NAME ? lastEventTime(Buffer.from(obj.data, 'base64')) : 0)
    } else {
      this.add(obj.type === 'symlink' ? ENTRY.SYMLINK : ENTRY.BAD, name, 0, 0)
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
        return this.#refs(blob, start, at, name)
      case QUOTE: {
        const end = stringEnd(blob, ++at)
        if (end < 0 || !startsWith(blob, end + 1, VAL_END)) return -1
        const text = name & LOG_NAME ? Buffer.from(latin1(blob, at, end), 'base64') : undefined
        this.add(ENTRY.VAL, name, start, text ? lastEventTime(text) : 0)
        return end + 1 + VAL_END.length
      }
      case 0x7b: // {
        return this.#link(blob, start, at, name)
      default:
        return -1
    }
  }

  #refs(blob: Uint8Array, start: number, open: number, name: number): number {
    const before = this.used
    const { blobrefBytes } = this.#table
    let at = open
    do {
      // After a bracket or a comma.
      at++
      if (blob[at] !== QUOTE) return -1
      const ordinal = this.#table.find(blob, at + 1)
      // A blobref of the other algorithm is not in this store.
      if (ordinal < -1) return -1
      this.ref(ordinal)
      at += blobrefBytes + 2
      if (blob[at - 1] !== QUOTE) return -1
    } while (blob[at] === 0x2c)
    if (blob[at++] !== 0x5d) return -1
    if (startsWith(blob, at, VALREF_END)) {
      this.add(ENTRY.VALREF, name, start, 0)
      return at + VALREF_END.length
    }
    if (!startsWith(blob, at, DIRREF_END)) return -1
    if (this.used - before === 1) this.add(ENTRY.DIRREF, name, start, 0)
    else {
      this.dropRefs(before)
      this.add(ENTRY.BAD, name, start, 0)
    }
    return at + DIRREF_END.length
  }

  /** A symbolic link: an object of strings. */
  #link(blob: Uint8Array, start: number, open: number, name: number): number {
    let at = open
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
    this.add(ENTRY.SYMLINK, name, start, 0)
    return at + SYMLINK_END.length
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
