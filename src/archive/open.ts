/**
 * Opening an archive of any kind. Filters and format are recognised by content. Members come in batches, since a
 * promise for each of some hundred thousand small members would cost more than parsing them.
 */
import { throwIfAborted } from '../errors/index.ts'
import type { FilterDescriptor } from './filters/index.ts'
import type { ExtraRecords } from './format-encoder.ts'
import type { Batches, FileFormat } from './formats/index.ts'
import { Input } from './input.ts'
import {
  directoryFormat,
  type FilterName,
  type FormatName,
  KINDS,
  type Kind,
  type Kinds,
  kindOf,
  typeOf,
} from './kinds.ts'
import { type Member, type OnLoss, Reading } from './member.ts'
import { untilDamage } from './mend.ts'
import { describeUnsupported, magicBytes, recogniseFilter, recogniseFormat } from './recognise.ts'
import { Source } from './source.ts'

/** Most filters around each other. No useful archive has more. */
const MAX_FILTERS = 4

/** Bytes looked at first, before waiting for more: a block of a tar, and the magic of nearly every kind. */
const FIRST_LOOK_BYTES = 512

export interface OpenArchiveOptions {
  signal?: AbortSignal | undefined
  /**
   * Leave out what is damaged or cut off, and read the rest: called with an error for each part that is left out, which
   * names the member where it is known. Without this, the first damage is thrown. A tar, cpio or zip is read again from
   * the next whole member on, a bzip2 file from the next block; gzip, xz and zstd are read up to the damage.
   */
  onLoss?: OnLoss | undefined
}

/** The recognised type of an archive. */
export interface OpenedType {
  readonly format: FormatName
  /** The outermost filter, when there are several. */
  readonly filter: FilterName
}

/** An archive open for reading. It can be read once. Dispose of it at the end. */
export interface ArchiveReader extends AsyncDisposable {
  readonly type: OpenedType
  /**
   * Records of the archive as a whole, from keyword to value, that have been read so far. They are complete when all members
   * have been read.
   */
  readonly records: ExtraRecords
  /** Size of the file in bytes, for progress; undefined when it is not known. */
  readonly size: number | undefined
  /** Bytes of the file read so far. */
  readonly bytesRead: number
  /**
   * The members in order, in batches. A batch is valid until the next one is requested. Call it once. Only a caller
   * that reads to the end knows that the archive is sound.
   *
   * @throws {ArchiveError} one line with the archive, the member and the offset: `EBADMSG` damaged or truncated;
   *   `EINVAL` a path with `..` or NUL; `EILSEQ` a name that is not UTF-8; `EOVERFLOW` beyond a limit; `ENOTSUP` a
   *   member of an unsupported kind
   */
  batches(): AsyncIterable<Member[]>
}

/**
 * Open an archive for reading.
 *
 * @param path - a file, a pipe or a directory; `-` is standard input
 * @param options.signal - interrupts reading with `EINTR`
 * @throws {FluxError} with the errno of the file system
 * @throws {ArchiveError} `EBADMSG` the file is empty; `ENOTSUP` it is not an archive that can be read
 */
export function openArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveReader> {
  return openArchiveOf(KINDS, path, options)
}

/** Like {@link openArchive}, with a given set of formats and filters. */
export async function openArchiveOf(
  kinds: Kinds,
  path: string,
  options: OpenArchiveOptions = {},
): Promise<ArchiveReader> {
  const source = await Source.open(path, options.signal)
  try {
    return source.isDirectory
      ? await openDirectory(path, source, options, kinds)
      : await openStream(source, options, kinds)
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

async function openDirectory(
  path: string,
  source: Source,
  options: OpenArchiveOptions,
  kinds: Kinds,
): Promise<ArchiveReader> {
  const root = path === '-' ? '/dev/stdin' : path.replace(/(?<=.)\/+$/, '')
  const format = directoryFormat(kinds)
  const { readMembers } = await format.read()
  const reading = new Reading(root, format.name, options.onLoss)
  const members = readMembers({ path: root, source, reading })
  return new OpenedArchive(typeOf({ format, filter: undefined }), members, reading, options, [source])
}

async function openStream(source: Source, options: OpenArchiveOptions, kinds: Kinds): Promise<ArchiveReader> {
  let input = new Input(source.chunks())
  const filters: FilterDescriptor[] = []
  try {
    for (;;) {
      const head = await peek(input, kinds)
      if (head.length === 0 && filters.length === 0) {
        throw new Reading(source.name, 'unknown').error('EBADMSG', 'is empty, and not an archive')
      }
      const filter = recogniseFilter(head, kinds) ?? (options.onLoss && lostFilter(source.name, head, filters, kinds))
      if (filter === undefined) return await openFormat(source, input, head, filters, options, kinds)
      filters.push(filter)
      const reading = new Reading(source.name, filter.name, options.onLoss)
      if (filters.length > MAX_FILTERS) throw reading.error('ENOTSUP', `is compressed more than ${MAX_FILTERS} times`)
      const { decode } = await filter.decode()
      const decoded = decode(input.rest(), reading)
      input = new Input(reading.isSalvaging ? untilDamage(decoded, reading) : decoded)
    }
  } catch (error) {
    await input.close()
    throw error
  }
}

/** The first bytes of the input, without consuming them. Few kinds need more than one block to be recognised. */
async function peek(input: Input, kinds: Kinds): Promise<Buffer> {
  const most = magicBytes(kinds)
  const look = () => input.buffer.subarray(input.position, input.position + most)
  await input.fill(FIRST_LOOK_BYTES)
  const head = look()
  const isZeros = head.every((byte) => byte === 0)
  if (recogniseFilter(head, kinds) !== undefined || (!isZeros && recogniseFormat(head, kinds) !== undefined))
    return head
  await input.fill(most)
  return look()
}

async function openFormat(
  source: Source,
  input: Input,
  head: Buffer,
  filters: readonly FilterDescriptor[],
  options: OpenArchiveOptions,
  kinds: Kinds,
): Promise<ArchiveReader> {
  const names = filters.map(({ name }) => name).join(' in ')
  const format =
    recogniseFormat(head, kinds) ?? (options.onLoss && (await guessFormat(source.name, input, filters, kinds)))
  if (format === undefined) {
    const { what, hint } = describeUnsupported(head, kinds)
    const inside = filters.length > 0 ? `holds, inside ${names}, something that ` : ''
    throw new Reading(source.name, 'unknown').error('ENOTSUP', inside + what, { hint })
  }
  const reading = new Reading(source.name, format.name, options.onLoss)
  let seekable = source
  if (format.seekable) {
    if (filters.length > 0) {
      const hint = 'uncompress it first'
      throw reading.error('ENOTSUP', `is compressed by ${names}, which is not supported for ${format.name}`, { hint })
    }
    if (source.size === undefined) seekable = await Source.spool(input.rest(), source.name, options.signal)
  }
  try {
    const { readMembers } = await format.read()
    const mended = reading.isSalvaging ? await mend(input, format, reading) : input
    const members = readMembers({ input: mended, source: seekable, reading })
    const dispose = seekable === source ? [source] : [seekable, source]
    return new OpenedArchive(typeOf({ format, filter: filters[0] }), members, reading, options, dispose, input)
  } catch (error) {
    // The caller closes the archive itself, but does not know the file that a pipe was spooled to.
    if (seekable !== source) await seekable[Symbol.asyncDispose]()
    throw error
  }
}

/** The whole members of an archive, for its reader. */
async function mend(input: Input, format: FileFormat, reading: Reading): Promise<Input> {
  const salvage = await format.salvage?.()
  return salvage?.mend ? new Input(salvage.mend(input, reading)) : input
}

/** What the name of an archive says that it is; undefined when it says nothing. */
function namedKind(name: string, kinds: Kinds): Kind | undefined {
  try {
    return kindOf(name, undefined, kinds)
  } catch {
    return undefined
  }
}

/** The filter of a file whose beginning is damaged, if it can go on at a later block. */
function lostFilter(
  name: string,
  head: Buffer,
  filters: readonly FilterDescriptor[],
  kinds: Kinds,
): FilterDescriptor | undefined {
  if (filters.length > 0 || recogniseFormat(head, kinds) !== undefined) return undefined
  const filter = namedKind(name, kinds)?.filter
  return filter?.isInBlocks ? filter : undefined
}

/** The format of an archive whose beginning is damaged: by its name, or else by what comes later. */
async function guessFormat(
  name: string,
  input: Input,
  filters: readonly FilterDescriptor[],
  kinds: Kinds,
): Promise<FileFormat | undefined> {
  const named = namedKind(name, kinds)
  if (named?.filter !== undefined && !filters.includes(named.filter)) {
    // Compressed data can hold pieces of the archive as they are.
    return undefined
  }
  if (named && !named.format.isDirectory) return named.format
  const looked = input.buffer.subarray(input.position)
  for (const format of kinds.formats) {
    if (!format.isDirectory && (await format.salvage?.())?.occursIn(looked)) return format
  }
  return undefined
}

/** The source interrupts a pending read, but the bytes already read may give many more batches. */
async function* untilAborted(batches: AsyncIterable<Member[]>, signal: AbortSignal | undefined) {
  for await (const batch of batches) {
    throwIfAborted(signal)
    yield batch
  }
}

class OpenedArchive implements ArchiveReader {
  readonly type: OpenedType
  readonly #members: Batches
  readonly #reading: Reading
  readonly #signal: AbortSignal | undefined
  /** The archive itself is last; before it, the file that a pipe was spooled to. */
  readonly #sources: readonly Source[]
  readonly #input: Input | undefined

  constructor(
    type: OpenedType,
    members: Batches,
    reading: Reading,
    { signal }: OpenArchiveOptions,
    sources: readonly Source[],
    input?: Input,
  ) {
    this.type = type
    this.#members = members
    this.#reading = reading
    this.#signal = signal
    this.#sources = sources
    this.#input = input
  }

  get #source(): Source {
    return this.#sources.at(-1) as Source
  }

  get records(): ExtraRecords {
    return this.#reading.records
  }

  get size(): number | undefined {
    return this.#source.size
  }

  get bytesRead(): number {
    return this.#source.bytesRead
  }

  batches(): AsyncIterable<Member[]> {
    return untilAborted(this.#members, this.#signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input?.close().catch(() => {})
    for (const source of this.#sources) await source[Symbol.asyncDispose]()
  }
}
