/**
 * Opening an archive of any kind. Filters are peeled off and the format is recognised by content; then members come in
 * batches, since a promise for each of some hundred thousand small members would cost more than to parse them.
 */
import { throwIfAborted } from '../errors/index.ts'
import { Input } from './input.ts'
import { type Member, Reading } from './member.ts'
import {
  describeStranger,
  MAGIC_BYTES,
  type ReadableFilter,
  type ReadableFormat,
  recogniseFilter,
  recogniseFormat,
} from './recognise.ts'
import { Source } from './source.ts'

/** Filters around filters: more than this is no archive that anybody made for use. */
const FILTERS = 4

export interface OpenArchiveOptions {
  signal?: AbortSignal | undefined
}

/** What an archive turned out to be. */
export interface OpenedType {
  readonly format: ReadableFormat | 'directory'
  /** The outermost, when there are several. */
  readonly filter: ReadableFilter | 'none'
}

/** An archive being read, once. Dispose of it at the end. */
export interface ArchiveReader extends AsyncDisposable {
  readonly type: OpenedType
  /** Bytes of the file, for progress; undefined when it is not known. */
  readonly size: number | undefined
  /** Bytes of it read so far, still compressed. */
  readonly bytesRead: number
  /**
   * The members, in their order, some at a time. What they hold is good until the next batch is asked for. To be called
   * once. A caller that does not take all of it has no word that the rest is sound.
   *
   * @throws {ArchiveError} one line with the archive, the member and the offset: `EBADMSG` damaged or truncated; `EINVAL`
   * a path with `..` or NUL; `EILSEQ` a name that is not UTF-8; `EOVERFLOW` beyond a limit; `ENOTSUP` not to be read
   */
  batches(): AsyncIterable<Member[]>
}

/** Undoes a filter. The generator owns `chunks`. */
type Decoder = (chunks: AsyncIterable<Uint8Array>, reading: Reading) => AsyncGenerator<Uint8Array>

/** Decoders and readers are loaded when they are asked for. */
const DECODERS: Readonly<Record<ReadableFilter, () => Promise<Decoder>>> = {
  gzip: async () => (await import('./zlib.ts')).gunzip,
  zstd: async () => (await import('./filters/zstd/decode.ts')).unzstd,
  bzip2: () => decoderInThread('bzip2'),
  xz: () => decoderInThread('xz'),
}

async function decoderInThread(filter: 'bzip2' | 'xz'): Promise<Decoder> {
  const { decodeInThread } = await import('./filters/in-thread.ts')
  return (chunks, reading) => decodeInThread(filter, chunks, reading)
}

const STREAM_READERS = {
  tar: async () => (await import('./formats/tar/reader.ts')).readTar,
  cpio: async () => (await import('./formats/cpio/reader.ts')).readCpio,
}
const SEEKING_READERS = {
  zip: async () => (await import('./formats/zip/reader.ts')).readZip,
  iso9660: async () => (await import('./formats/iso9660/reader.ts')).readIso9660,
}

/**
 * Open an archive for reading.
 *
 * @param path - a file, a pipe or a directory; `-` is standard input
 * @param options.signal - calls off what is under way, with `EINTR`
 * @throws {FluxError} with the errno of the file system
 * @throws {ArchiveError} `EBADMSG` when it is empty; `ENOTSUP` when it is not an archive that can be read
 */
export async function openArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveReader> {
  const source = await Source.open(path, options.signal)
  try {
    return source.isDirectory ? await openDirectory(path, source, options) : await openStream(source, options)
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

async function openDirectory(path: string, source: Source, options: OpenArchiveOptions): Promise<ArchiveReader> {
  const root = path === '-' ? '/dev/stdin' : path.replace(/(?<=.)\/+$/, '')
  const progress = { bytesRead: 0 }
  const { readDirectory } = await import('./formats/directory/reader.ts')
  return {
    type: { format: 'directory', filter: 'none' },
    size: undefined,
    get bytesRead() {
      return progress.bytesRead
    },
    batches: () => untilAborted(readDirectory(root, new Reading(root, 'directory'), progress), options.signal),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

async function openStream(source: Source, options: OpenArchiveOptions): Promise<ArchiveReader> {
  let input = new Input(source.chunks())
  const filters: ReadableFilter[] = []
  try {
    for (;;) {
      const head = await peek(input)
      if (head.length === 0 && filters.length === 0) {
        throw new Reading(source.name, 'unknown').error('EBADMSG', 'is empty: not even the end of an archive is in it')
      }
      const filter = recogniseFilter(head)
      if (filter === undefined) return await openFormat(source, input, head, filters, options)
      filters.push(filter)
      const reading = new Reading(source.name, filter)
      if (filters.length > FILTERS) throw reading.error('ENOTSUP', `is compressed more than ${FILTERS} times over`)
      const decode = await DECODERS[filter]()
      input = new Input(decode(input.rest(), reading))
    }
  } catch (error) {
    await input.close()
    throw error
  }
}

/** What the input begins with, left where it is. Only an ISO image needs more than the first block. */
async function peek(input: Input): Promise<Buffer> {
  const look = () => input.buffer.subarray(input.position, input.position + MAGIC_BYTES)
  await input.fill(512)
  const head = look()
  if (recogniseFilter(head) !== undefined || (head.some((byte) => byte !== 0) && recogniseFormat(head) !== undefined))
    return head
  await input.fill(MAGIC_BYTES)
  return look()
}

async function openFormat(
  source: Source,
  input: Input,
  head: Buffer,
  filters: readonly ReadableFilter[],
  options: OpenArchiveOptions,
): Promise<ArchiveReader> {
  const filter = filters[0] ?? 'none'
  const format = recogniseFormat(head)
  if (format === undefined) {
    const { what, hint } = describeStranger(head)
    const inside = filters.length > 0 ? `holds, inside ${filters.join(' in ')}, something that ` : ''
    throw new Reading(source.name, 'unknown').error('ENOTSUP', inside + what, { hint })
  }
  const reading = new Reading(source.name, format)
  if (format === 'tar' || format === 'cpio') {
    const read = await STREAM_READERS[format]()
    const batches = () => untilAborted(read(input, reading), options.signal)
    return new OpenedArchive({ format, filter }, source, source, input, batches)
  }
  if (filters.length > 0) {
    const hint = 'uncompress it first'
    throw reading.error('ENOTSUP', `is compressed by ${filters.join(' in ')}, which is not supported for ${format}`, {
      hint,
    })
  }
  const seekable = source.size === undefined ? await Source.spool(input.rest(), source.name, options.signal) : source
  const read = await SEEKING_READERS[format]()
  const batches = () => untilAborted(read(seekable, reading), options.signal)
  return new OpenedArchive({ format, filter }, source, seekable, input, batches)
}

/** A read under way is called off by the source; but what has been read already may be worth many batches. */
async function* untilAborted(batches: AsyncIterable<Member[]>, signal: AbortSignal | undefined) {
  for await (const batch of batches) {
    throwIfAborted(signal)
    yield batch
  }
}

class OpenedArchive implements ArchiveReader {
  readonly type: OpenedType
  readonly #source: Source
  /** The source itself, or what a pipe was spooled to. */
  readonly #seekable: Source
  readonly #input: Input
  readonly #batches: () => AsyncIterable<Member[]>

  constructor(
    type: OpenedType,
    source: Source,
    seekable: Source,
    input: Input,
    batches: () => AsyncIterable<Member[]>,
  ) {
    this.type = type
    this.#source = source
    this.#seekable = seekable
    this.#input = input
    this.#batches = batches
  }

  get size(): number | undefined {
    return this.#source.size
  }

  get bytesRead(): number {
    return this.#source.bytesRead
  }

  batches(): AsyncIterable<Member[]> {
    return this.#batches()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {})
    await this.#seekable[Symbol.asyncDispose]()
    await this.#source[Symbol.asyncDispose]()
  }
}
