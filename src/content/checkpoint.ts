import { FluxError, LAST_SECONDS, wholeNumber } from '../errors/index.ts'
import { isBlobref } from './blobref.ts'

/** The most bytes of a checkpoint object: it has a few short members. */
export const CHECKPOINT_BYTES = 64 << 10

/** The most checkpoints of a store that are read, the newest ones. Flux keeps 5, unless it is configured otherwise. */
export const MAX_CHECKPOINTS = 10_000

/** A KVS root that the instance recorded in its backing store, to start from it the next time. */
export interface Checkpoint {
  /** Blobref of the root directory. */
  readonly rootref: string
  /** KVS sequence number of the root; 0 when it was not recorded. */
  readonly sequence: number
  /** Seconds since 1970, with a fraction; 0 when it was not recorded, or is out of the range of `Date`. */
  readonly timestamp: number
}

/**
 * Decode a checkpoint object, version 0 or 1; before v0.36 it was a bare blobref.
 *
 * @param value - the object as parsed from JSON
 * @param where - which checkpoint of which store, for the error
 * @throws {FluxError} `EPROTO` it is not a checkpoint object
 * @see flux-core, `src/common/libkvs/kvs_checkpoint.c`
 */
export function decodeCheckpoint(value: unknown, where: string): Checkpoint {
  if (isBlobref(value)) return { rootref: value, sequence: 0, timestamp: 0 }
  const { version, rootref, sequence = 0, timestamp: time = 0 } = (value ?? {}) as Record<string, unknown>
  const timestamp = typeof time === 'bigint' ? Number(time) : time
  if (
    (version === 0 || version === 1) &&
    isBlobref(rootref) &&
    Number.isSafeInteger(sequence) &&
    Number.isFinite(timestamp)
  ) {
    // Writers do not check the timestamp, and the root may be good even if the timestamp is not.
    const seconds = Math.abs(timestamp as number) <= LAST_SECONDS ? (timestamp as number) : 0
    return { rootref, sequence: sequence as number, timestamp: seconds }
  }
  throw new FluxError('EPROTO', `${where}: not a checkpoint object`)
}

/**
 * Encode a checkpoint object, as compact JSON.
 *
 * @throws {FluxError} `EINVAL` Flux could not read it back: rootref, sequence or timestamp is not valid
 * @see flux-core, `src/common/libkvs/kvs_checkpoint.c`
 */
export function encodeCheckpoint({ rootref, sequence, timestamp }: Checkpoint): string {
  if (!isBlobref(rootref)) throw new FluxError('EINVAL', `rootref ${rootref}: not a blobref`)
  wholeNumber('sequence', sequence)
  if (!Number.isFinite(timestamp)) throw new FluxError('EINVAL', `timestamp ${timestamp}: not a number of seconds`)
  // Flux rejects a timestamp without a fraction or exponent.
  const time = Number.isInteger(timestamp) ? timestamp.toFixed(1) : String(timestamp)
  return `{"version":1,"rootref":"${rootref}","sequence":${sequence},"timestamp":${time}}`
}
