import { lz4EncodeBlock } from '../../bytes/index.ts'
import type { CompressBlob } from '../store-kind.ts'

/** Blobs of this size and more are compressed, if that makes them smaller. */
const COMPRESSED_BYTES = 256

/** Compresses a blob as content-sqlite stores it: an LZ4 block. */
export const compressBlob: CompressBlob = (source, from, size, target, at) =>
  size < COMPRESSED_BYTES ? 0 : lz4EncodeBlock(source, from, size, target, at, size - 1)
