import { createGunzip } from 'node:zlib'
import { chunkBytes, through } from '../../zlib.ts'
import type { Decode } from '../filter.ts'

/** Several members in a row (RFC 1952, 2.2) decode as one stream. Zeros or other data after the last are ignored. */
export const decode: Decode = (chunks, reading) =>
  through(chunks, createGunzip({ chunkSize: chunkBytes(reading) }), reading)
