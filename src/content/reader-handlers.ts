/** Answers what can be asked of a reader: in its thread, or before that one runs. */
import type { Answer } from '../threads/index.ts'
import type { HashName } from './blobref.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ChosenSize, CopyTarget } from './chosen-blobs.ts'
import type {
  BlobCopier,
  BlobFailure,
  BlobReader,
  BlobStream,
  CheckedBatch,
  CheckedRange,
  PackedBatch,
} from './packed-batch.ts'
import { SHARED, type SharedCounts } from './read-counts.ts'
import type { StoreTotals } from './store-on-disk.ts'

/** Digests, `count` of them, one after another. */
export interface Wanted {
  digests: Uint8Array
  count: number
}

/** The handlers of the thread. */
export type ReaderHandlers = {
  hash: () => Answer<HashName>
  checkpoints: () => Answer<Checkpoint[]>
  batch: (
    wanted: Wanted & { budgetBytes: number; maxBlobBytes: number },
  ) => Answer<{ batch: PackedBatch; objects: number | undefined }>
  sizes: (wanted: Wanted) => Answer<Float64Array>
  check: (wanted: Wanted) => Answer<CheckedBatch>
  /** Open a stream. @returns its id, or why the blob cannot be read */
  open: (wanted: Wanted) => Answer<number | BlobFailure>
  /** The next bytes of a stream; empty at its end; `damaged` when the blob is not complete. */
  piece: (stream: { id: number }) => Answer<Uint8Array | 'damaged'>
  /** Close a stream. */
  drop: (stream: { id: number }) => Answer<undefined>
  checkRange: (range: { from: number; count: number; onlyMarked: boolean }) => Answer<CheckedRange>
  list: (range: { from: number; count: number }) => Answer<Uint8Array>
  mark: (wanted: Wanted) => Answer<number>
  totals: () => Answer<StoreTotals>
  /** See {@link BlobReader.twin}. */
  twin: () => Answer<unknown>
  /** See {@link BlobCopier}. */
  choose: (wanted: { digests: Uint8Array }) => Answer<number[]>
  readChosen: (wanted: { digests: Uint8Array; budgetBytes: number; maxBlobBytes: number }) => Answer<PackedBatch>
  measureChosen: () => Answer<ChosenSize>
  copyChosen: (target: CopyTarget) => Answer<undefined>
  close: () => Answer<undefined>
}

/** @param shared - updated meanwhile */
export function readerHandlers(reader: BlobReader, shared: SharedCounts): ReaderHandlers {
  const streams = new Map<number, BlobStream>()
  let lastId = 0
  return {
    hash: () => ({ reply: reader.hash }),
    checkpoints: () => ({ reply: reader.checkpoints() }),
    batch({ digests, count, budgetBytes, maxBlobBytes }) {
      const batch = reader.readBatch(digests, count, budgetBytes, maxBlobBytes)
      return { reply: { batch, objects: reader.objects }, transfer: buffersOf(batch) }
    },
    sizes: ({ digests, count }) => ({ reply: reader.sizes(digests, count) }),
    check: ({ digests, count }) => ({ reply: reader.checkBatch(digests, count) }),
    open({ digests }) {
      const stream = reader.openStream(digests)
      if ('status' in stream) return { reply: stream }
      streams.set(++lastId, stream)
      return { reply: lastId }
    },
    piece({ id }) {
      const stream = streams.get(id)
      // A copy, which can be transferred.
      const piece = new Uint8Array(stream?.next() ?? [])
      if (piece.length === 0 && !stream?.isWhole) return { reply: 'damaged' }
      return { reply: piece, transfer: [piece.buffer] }
    },
    drop({ id }) {
      streams.get(id)?.close()
      streams.delete(id)
      return { reply: undefined }
    },
    checkRange({ from, count, onlyMarked }) {
      const range = reader.checkRange(from, count, onlyMarked)
      shared[SHARED.OBJECTS] = reader.objects ?? 0
      return { reply: range }
    },
    list({ from, count }) {
      const digests = reader.list(from, count)
      shared[SHARED.OBJECTS] = reader.objects ?? 0
      return { reply: digests }
    },
    mark({ digests, count }) {
      const found = reader.mark(digests, count)
      shared[SHARED.OBJECTS] = reader.objects ?? 0
      return { reply: found }
    },
    totals: () => ({ reply: reader.totals(shared) }),
    twin: () => ({ reply: reader.twin?.() }),
    choose: ({ digests }) => ({ reply: copierOf(reader).choose(digests) }),
    readChosen({ digests, budgetBytes, maxBlobBytes }) {
      const batch = copierOf(reader).read(digests, budgetBytes, maxBlobBytes)
      return { reply: batch, transfer: buffersOf(batch) }
    },
    measureChosen: () => ({ reply: copierOf(reader).measure() }),
    copyChosen(target) {
      copierOf(reader).copy(target, shared)
      return { reply: undefined }
    },
    close() {
      reader.close()
      return { reply: undefined }
    },
  }
}

function buffersOf(batch: PackedBatch): ArrayBuffer[] {
  return [...new Set([batch.arena, ...batch.large.values()].map((bytes) => bytes.buffer as ArrayBuffer))]
}

/** The copier of a store that has one: {@link StoreOnDisk.copier} says so before it is asked for. */
function copierOf(reader: BlobReader): BlobCopier {
  return reader.copier as BlobCopier
}
