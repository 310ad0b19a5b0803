import { type ContentError, type ContentStore, loadEach } from '../../content/index.ts'
import { abortable, FluxError, throwIfAborted } from '../../errors/index.ts'
import { decodeDir, MAX_DIR_BYTES } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import type { DigestTable } from './digest-table.ts'
import type { DirSums } from './dir-sums.ts'
import { lastEventTime, startsWith } from './event-time.ts'

/** Blobs that are loaded in one batch, and batches in progress at a time. */
const BATCH = 512
const BATCHES = 3

/** Larger blobs are read in pieces, and only directories among them are loaded whole. In bytes. */
const LARGE_BYTES = 4 << 20

/** Bytes kept of the end of a large blob: they hold the last event of an eventlog. */
const TAIL_BYTES = 128 << 10

type ReadStoreOptions = InspectOptions<FluxError>

/**
 * Read all blobs of a store on disk into the sums of its directories.
 *
 * @param table - all blobs of the store, in the order in which it lists them
 * @param options - `onFault` is called with each blob that is altered or unreadable
 * @throws {FluxError} when the store as a whole fails
 */
export function readStore(
  store: ContentStore,
  table: DigestTable,
  sums: DirSums,
  options: ReadStoreOptions,
): Promise<void> {
  return new Reading(store, table, sums, options).run()
}

class Reading {
  readonly #store: ContentStore
  readonly #table: DigestTable
  readonly #sums: DirSums
  readonly #options: ReadStoreOptions

  constructor(store: ContentStore, table: DigestTable, sums: DirSums, options: ReadStoreOptions) {
    this.#store = store
    this.#table = table
    this.#sums = sums
    this.#options = options
  }

  async run(): Promise<void> {
    const { signal } = this.#options
    const underWay: Promise<void>[] = []
    for (let from = 0; from < this.#table.size; from += BATCH) {
      throwIfAborted(signal)
      const reading = this.#batch(from)
      reading.catch(() => {})
      underWay.push(reading)
      if (underWay.length >= BATCHES) await abortable(underWay.shift() as Promise<void>, signal)
    }
    for (const reading of underWay) await abortable(reading, signal)
  }

  async #batch(from: number): Promise<void> {
    const { onDisk } = this.#store
    const { signal } = this.#options
    const blobrefs = (await onDisk?.list(from, Math.min(BATCH, this.#table.size - from))) ?? []
    const large: number[] = []
    const take = (i: number, result: Uint8Array | ContentError): void => {
      if (result instanceof Uint8Array) this.#take(from + i, result)
      else if (result.code === 'EFBIG') large.push(i)
      else this.#bad(from + i, result)
    }
    await loadEach(this.#store, blobrefs, take, { most: BATCH, maxBlobBytes: LARGE_BYTES, signal })
    for (const i of large) await this.#large(from + i, blobrefs[i] as string)
  }

  #take(ordinal: number, blob: Uint8Array): void {
    if (this.#sums.entries.read(blob)) this.#sums.addDir(ordinal)
    else if (mayBeDir(blob, blob)) this.#decode(ordinal, blob)
    else this.#sums.addValue(ordinal, lastEventTime(blob))
  }

  /** Take a blob that may be a directory that is not written as Flux writes it. */
  #decode(ordinal: number, blob: Uint8Array): void {
    try {
      this.#sums.entries.take(decodeDir(blob, '.', undefined))
      this.#sums.addDir(ordinal)
    } catch (error) {
      if (!(error instanceof FluxError)) throw error
      this.#sums.addValue(ordinal, lastEventTime(blob))
    }
  }

  async #large(ordinal: number, blobref: string): Promise<void> {
    try {
      let head: Uint8Array | undefined
      let tail = Buffer.alloc(0)
      for await (const piece of this.#store.onDisk?.stream(blobref) ?? []) {
        throwIfAborted(this.#options.signal)
        head ??= Buffer.from(piece.subarray(0, TAIL_BYTES))
        tail = Buffer.concat([tail, piece.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
      }
      if (!mayBeDir(head ?? tail, tail)) {
        this.#sums.addValue(ordinal, lastEventTime(tail))
        return
      }
      const [blob] = await this.#store.loadBatch([blobref], 1, MAX_DIR_BYTES)
      if (blob instanceof Uint8Array) this.#take(ordinal, blob)
      else this.#sums.addValue(ordinal, 0)
    } catch (error) {
      // Only a fault of this blob has its blobref.
      if (!(error instanceof FluxError && 'blobref' in error)) throw error
      this.#bad(ordinal, error)
    }
  }

  #bad(ordinal: number, error: FluxError): void {
    this.#sums.addBad(ordinal)
    this.#options.onFault?.(error)
  }
}

/** How much of the beginning and the end of a blob is looked at for the type of a tree object. In bytes. */
const TYPE_BYTES = 64

const DIR_TYPE = Buffer.from('"dir"')

/** True for text that begins and ends as a directory may: values that are JSON objects are common. */
function mayBeDir(head: Uint8Array, tail: Uint8Array): boolean {
  if (head[0] !== 0x7b) return false
  return hasDirType(head, 0) || hasDirType(tail, Math.max(0, tail.length - TYPE_BYTES))
}

function hasDirType(text: Uint8Array, from: number): boolean {
  const to = Math.min(from + TYPE_BYTES, text.length)
  for (let at = from; at < to; at++) if (text[at] === DIR_TYPE[0] && startsWith(text, at, DIR_TYPE)) return true
  return false
}
