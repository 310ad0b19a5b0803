import { hash as digestHex } from 'node:crypto'
import { FluxError } from '../errors/index.ts'

/** The hash algorithm of an instance (`content.hash`). All its blobrefs use the same one. */
export type HashName = 'sha1' | 'sha256'

/** Number of bytes of a digest. */
export const DIGEST_BYTES: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32 }

const BLOBREF = /^(?:sha1-[0-9a-f]{40}|sha256-[0-9a-f]{64})$/

/** True for `sha1-` and 40, or `sha256-` and 64, lower-case hex digits; nothing else is a blobref. */
export function isBlobref(text: unknown): text is string {
  return typeof text === 'string' && BLOBREF.test(text)
}

/**
 * @returns `text`
 * @throws {FluxError} `EINVAL` when it is not a blobref
 */
export function parseBlobref(text: string): string {
  if (isBlobref(text)) return text
  throw new FluxError('EINVAL', `${text}: not a blobref`, {
    hint: 'a blobref is sha1- or sha256- and the lower-case hex digits of the digest',
  })
}

/** The algorithm of a valid blobref. */
export function blobrefHash(blobref: string): HashName {
  return blobref.startsWith('sha256-') ? 'sha256' : 'sha1'
}

/** The digest of a valid blobref, in hex. */
export function blobrefHex(blobref: string): string {
  return blobref.slice(blobref.indexOf('-') + 1)
}

/** The blobref of a blob: the digest of its bytes (RFC 10). */
export function blobrefOf(hash: HashName, blob: Uint8Array): string {
  return `${hash}-${digestHex(hash, blob, 'hex')}`
}

/** The digests of blobs of one algorithm, one after another. */
export class Digests {
  /** The bytes, for whoever stores them. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The same memory as words, for whoever compares them. */
  readonly words: Int32Array

  /** @param hex - the digests in hex, one after another */
  constructor(hex: string) {
    const bytes = Buffer.allocUnsafeSlow(hex.length / 2)
    bytes.write(hex, 'hex')
    this.bytes = bytes
    this.words = new Int32Array(bytes.buffer)
  }
}
