/**
 * The entries of a damaged zip: from the directory at its end, if all of it can be read, or else from the header before
 * each content. Those are looked for in the whole file. What only the directory has, the mode above all, is taken from
 * libarchive's field "xl", which our writer adds too; without it every member is a file.
 */
import { Input } from '../../input.ts'
import type { Reading } from '../../member.ts'
import type { Source } from '../../source.ts'
import { Window } from '../window.ts'
import {
  ENTRY_ATTRIBUTES,
  ENTRY_BYTES,
  ENTRY_CRC,
  ENTRY_DOS_TIME,
  ENTRY_EXTRA_BYTES,
  ENTRY_FLAGS,
  ENTRY_HEADER_OFFSET,
  ENTRY_MADE_BY,
  ENTRY_MAGIC,
  ENTRY_METHOD,
  ENTRY_NAME_BYTES,
  ENTRY_PACKED,
  ENTRY_SIZE,
  EXTRA_XL,
  EXTRA_ZIP64,
  FLAG_SIZES_FOLLOW,
  LOCAL_BYTES,
  LOCAL_CRC,
  LOCAL_DOS_TIME,
  LOCAL_EXTRA_BYTES,
  LOCAL_FLAGS,
  LOCAL_MAGIC,
  LOCAL_METHOD,
  LOCAL_NAME_BYTES,
  LOCAL_PACKED,
  LOCAL_SIZE,
  SEE_ZIP64_32,
} from './layout.ts'
import { findDirectory, readEntry, type ZipDirectory, type ZipEntry } from './read-directory.ts'

/** Bytes of the Zip64 field of an entry, with all three numbers. */
const ZIP64_BYTES = 4 + 24

/** The magic of a data descriptor, which follows a content whose size was not known before. */
const DESCRIPTOR_MAGIC = 0x08074b50
const DESCRIPTOR_BYTES = 16

/** The first bytes of every magic. */
const PK = Buffer.from('PK', 'latin1')

/** Contents whose end is looked for at the same time. */
const MOST_BEGUN = 1 << 20
const MAGIC = Buffer.from('PK\x03\x04', 'latin1')

/** True when the header of a member seems to be in these bytes. */
export function occursIn(bytes: Buffer): boolean {
  return bytes.includes(MAGIC)
}

/** @yields the entries; each is valid until the next */
export async function* salvagedEntries(source: Source, reading: Reading): AsyncGenerator<ZipEntry> {
  const window = new Window(source)
  let directory: ZipDirectory | undefined
  try {
    directory = await findDirectory(window, reading)
    for await (const _ of entriesIn(source, directory, reading));
  } catch (error) {
    reading.lose(error)
    directory = undefined
  }
  if (directory !== undefined) yield* entriesIn(source, directory, reading)
  // Behind a directory there may be a zip that was joined to the first one, and has lost its own.
  const scan = new LocalHeaders(source, reading)
  for await (const entry of scan.entries(directory?.end ?? 0)) {
    try {
      yield Object.assign(await readEntry(new Input(one(entry)), 0, reading), { isFound: true })
    } catch (error) {
      reading.loseFound(error)
    }
  }
}

async function* entriesIn(source: Source, { offset, size, entries }: ZipDirectory, reading: Reading) {
  const input = new Input(new Window(source).stretch(offset, size))
  for (let n = 0; n < entries; n++) yield await readEntry(input, offset, reading)
}

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk
}

/** Finds the header before each content, and makes of it what the directory would have. */
class LocalHeaders {
  readonly #window: Window
  readonly #reading: Reading
  #ends: Map<number, number> | undefined
  /** Bytes of contents that may still be tried although nothing follows them. */
  #unboundedBytes: number

  constructor(source: Source, reading: Reading) {
    this.#window = new Window(source)
    this.#reading = reading
    this.#unboundedBytes = this.#window.size
  }

  /** @yields directory entries. @param start - where to begin: behind a directory there should be no member */
  async *entries(start: number): AsyncGenerator<Buffer> {
    let from = start
    if (from > 0 && (await this.#find(MAGIC, from)) >= 0) this.#lost('damaged: members follow the end of the zip', from)
    while (true) {
      const at = await this.#find(MAGIC, from)
      if (at < 0) return
      if (at > from) this.#lost(`damaged: ${at - from} bytes skipped, up to the next member`, from)
      const header = await this.#header(at)
      if (header === undefined) {
        from = at + MAGIC.length
        continue
      }
      const found = await this.#sizes(header, at)
      if (found === undefined) {
        this.#lost('damaged: the size of a member is lost', at)
        from = at + MAGIC.length
        continue
      }
      const end = at + header.length + found.packed + found.after
      // Where no other header follows, the size may be wrong. The directory or the end of the file follows the last one.
      const isBounded = await this.#isBoundary(end)
      from = isBounded ? end : at + MAGIC.length
      if (!isBounded) {
        // There may be many of these, and each says that its content is most of the file.
        if (end > this.#window.size || found.packed > this.#unboundedBytes) {
          const what = end > this.#window.size ? 'truncated' : 'damaged'
          this.#lost(`${what}: a member says more bytes than there are up to the next one`, at)
          continue
        }
        this.#unboundedBytes -= found.packed
      }
      yield entryOf(header, found, at)
    }
  }

  #lost(what: string, offset: number): void {
    this.#reading.lose(this.#reading.error('EBADMSG', what, { offset }))
  }

  async #isBoundary(at: number): Promise<boolean> {
    if (at >= this.#window.size) return at === this.#window.size
    const next = await this.#window.at(at, 4)
    return next.length === 4 && [LOCAL_MAGIC, ENTRY_MAGIC].includes(next.readUInt32LE(0))
  }

  /** A header with its name and fields; undefined when it is cut off, or its name is none. */
  async #header(at: number): Promise<Buffer | undefined> {
    const start = await this.#window.at(at, LOCAL_BYTES)
    if (start.length < LOCAL_BYTES) return undefined
    const bytes = LOCAL_BYTES + start.readUInt16LE(LOCAL_NAME_BYTES) + start.readUInt16LE(LOCAL_EXTRA_BYTES)
    const header = await this.#window.at(at, bytes)
    if (header.length < bytes) return undefined
    // Many false headers may have one long text for a name: it is not decoded for each.
    const nameEnd = LOCAL_BYTES + start.readUInt16LE(LOCAL_NAME_BYTES)
    return header.subarray(LOCAL_BYTES, nameEnd).includes(0) ? undefined : header
  }

  /** @returns the sizes, and how many bytes follow the content; undefined when nothing tells them */
  async #sizes(header: Buffer, at: number): Promise<Sizes | undefined> {
    const zip64 = fieldOf(header, EXTRA_ZIP64)
    const number = (value: number, offset: number) =>
      value === SEE_ZIP64_32 && zip64 && zip64.length >= offset + 8 ? Number(zip64.readBigUInt64LE(offset)) : value
    const size = number(header.readUInt32LE(LOCAL_SIZE), 0)
    const packed = number(header.readUInt32LE(LOCAL_PACKED), 8)
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(packed)) return undefined
    const crc = header.readUInt32LE(LOCAL_CRC)
    const isLater = (header.readUInt16LE(LOCAL_FLAGS) & FLAG_SIZES_FOLLOW) !== 0
    if (!isLater || packed > 0) return { size, packed, crc, after: isLater ? DESCRIPTOR_BYTES : 0 }
    const data = at + header.length
    this.#ends ??= await this.#findEnds(at)
    const end = this.#ends.get(data)
    if (end === undefined) return undefined
    const descriptor = await this.#window.at(end, DESCRIPTOR_BYTES)
    return {
      size: descriptor.readUInt32LE(12),
      packed: end - data,
      crc: descriptor.readUInt32LE(4),
      after: DESCRIPTOR_BYTES,
    }
  }

  /**
   * Find the ends of all contents whose sizes follow them, in one pass: that of a content is the first descriptor behind it
   * that says how long it is.
   *
   * @returns by where a content begins, where it ends
   */
  async #findEnds(from: number): Promise<Map<number, number>> {
    const ends = new Map<number, number>()
    /** Where contents begin whose end has not been found. The oldest are given up when there are very many. */
    const begun = new Set<number>()
    for (let at = await this.#find(PK, from); at >= 0; at = await this.#find(PK, at + PK.length)) {
      const bytes = await this.#window.at(at, LOCAL_BYTES)
      if (bytes.length < DESCRIPTOR_BYTES) break
      const magic = bytes.readUInt32LE(0)
      if (magic === DESCRIPTOR_MAGIC) {
        const data = at - bytes.readUInt32LE(8)
        if (begun.delete(data)) ends.set(data, at)
      } else if (magic === LOCAL_MAGIC && bytes.length === LOCAL_BYTES) {
        if ((bytes.readUInt16LE(LOCAL_FLAGS) & FLAG_SIZES_FOLLOW) === 0) continue
        begun.add(at + LOCAL_BYTES + bytes.readUInt16LE(LOCAL_NAME_BYTES) + bytes.readUInt16LE(LOCAL_EXTRA_BYTES))
        if (begun.size > MOST_BEGUN)
          for (const oldest of begun) {
            begun.delete(oldest)
            break
          }
      }
    }
    return ends
  }

  async #find(magic: Buffer, from: number): Promise<number> {
    for (let at = from; at < this.#window.size; ) {
      const bytes = await this.#window.at(at, Math.min(SEARCH_BYTES, this.#window.size - at))
      const found = bytes.indexOf(magic)
      if (found >= 0) return at + found
      if (bytes.length < magic.length) return -1
      at += bytes.length - magic.length + 1
    }
    return -1
  }
}

/** Bytes searched at a time. */
const SEARCH_BYTES = 64 << 10

interface Sizes {
  readonly size: number
  readonly packed: number
  readonly crc: number
  readonly after: number
}

/** The data of an extra field of a header. */
function fieldOf(header: Buffer, id: number): Buffer | undefined {
  let at = LOCAL_BYTES + header.readUInt16LE(LOCAL_NAME_BYTES)
  while (at + 4 <= header.length) {
    const end = at + 4 + header.readUInt16LE(at + 2)
    if (end > header.length) return undefined
    if (header.readUInt16LE(at) === id) return header.subarray(at + 4, end)
    at = end
  }
  return undefined
}

/** The directory entry of a header. */
function entryOf(header: Buffer, { size, packed, crc }: Sizes, at: number): Buffer {
  const nameBytes = header.readUInt16LE(LOCAL_NAME_BYTES)
  const extra = header.subarray(LOCAL_BYTES + nameBytes)
  const entry = Buffer.alloc(ENTRY_BYTES + nameBytes + ZIP64_BYTES + extra.length)
  entry.writeUInt32LE(ENTRY_MAGIC, 0)
  const { madeBy, attributes } = xlOf(header)
  entry.writeUInt16LE(madeBy, ENTRY_MADE_BY)
  entry.writeUInt32LE(attributes, ENTRY_ATTRIBUTES)
  entry.writeUInt16LE(header.readUInt16LE(LOCAL_FLAGS), ENTRY_FLAGS)
  entry.writeUInt16LE(header.readUInt16LE(LOCAL_METHOD), ENTRY_METHOD)
  entry.writeUInt32LE(header.readUInt32LE(LOCAL_DOS_TIME), ENTRY_DOS_TIME)
  entry.writeUInt32LE(crc, ENTRY_CRC)
  for (const field of [ENTRY_SIZE, ENTRY_PACKED, ENTRY_HEADER_OFFSET]) entry.writeUInt32LE(SEE_ZIP64_32, field)
  entry.writeUInt16LE(nameBytes, ENTRY_NAME_BYTES)
  header.copy(entry, ENTRY_BYTES, LOCAL_BYTES, LOCAL_BYTES + nameBytes)
  let end = ENTRY_BYTES + nameBytes
  end = entry.writeUInt16LE(EXTRA_ZIP64, end)
  end = entry.writeUInt16LE(ZIP64_BYTES - 4, end)
  for (const value of [size, packed, at]) end = entry.writeBigUInt64LE(BigInt(value), end)
  // The other fields, without the Zip64 field of the header.
  for (let from = 0; from + 4 <= extra.length; ) {
    const to = from + 4 + extra.readUInt16LE(from + 2)
    // A header with the most fields that fit has no room for the sizes: its last ones are left out.
    if (to > extra.length || end + to - from > ENTRY_BYTES + nameBytes + 0xffff) break
    if (extra.readUInt16LE(from) !== EXTRA_ZIP64) end += extra.copy(entry, end, from, to)
    from = to
  }
  entry.writeUInt16LE(end - ENTRY_BYTES - nameBytes, ENTRY_EXTRA_BYTES)
  return entry.subarray(0, end)
}

/** @see libarchive `archive_write_set_format_zip.c`, "experimental 'xl' extra field" */
function xlOf(header: Buffer): { madeBy: number; attributes: number } {
  const xl = fieldOf(header, EXTRA_XL)
  const fields = xl?.[0] ?? 0
  let at = 1
  const madeBy = fields & 1 && xl && xl.length >= at + 2 ? xl.readUInt16LE(at) : 0
  if (fields & 1) at += 2
  if (fields & 2) at += 2
  const attributes = fields & 4 && xl && xl.length >= at + 4 ? xl.readUInt32LE(at) : 0
  return { madeBy, attributes }
}
