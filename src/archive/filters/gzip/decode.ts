import { createGunzip } from 'node:zlib'
import { CHUNK_BYTES, through } from '../../zlib.ts'
import type { Decode } from '../filter.ts'

/** Members one after another (RFC 1952, 2.2) are one stream; zeros or anything else after the last are ignored. */
export const decode: Decode = (chunks, reading) => through(chunks, createGunzip({ chunkSize: CHUNK_BYTES }), reading)
