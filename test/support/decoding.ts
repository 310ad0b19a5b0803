/** Decoders fed as an archive is: in chunks, which may end anywhere. */
import { expect } from 'chai'
import { DecodeError, type Decoder } from '../../src/archive/filters/decoder.ts'

/** What a decoder makes of chunks. */
export function decoded(decoder: Decoder, ...chunks: readonly Uint8Array[]): Buffer {
  const out: Uint8Array[] = []
  // Each chunk is the decoder's own, as it is when it comes from a thread.
  for (const chunk of chunks) out.push(...decoder.push(Uint8Array.from(chunk)))
  out.push(...decoder.finish())
  return Buffer.concat(out)
}

/** Bytes cut into chunks of a size. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** The message of the {@link DecodeError} that something ends with; undefined when it does not fail. */
export function decodeFailure(decode: () => unknown): string | undefined {
  try {
    decode()
    return undefined
  } catch (error) {
    expect(error).to.be.instanceOf(DecodeError)
    return (error as Error).message
  }
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, at: number, bit = 1): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ bit
  return copy
}

/**
 * What decoders say of bytes of which one bit is changed, whichever it is: each text once, in order; `none` where a decoder
 * says nothing.
 *
 * @param rest - follows the bytes unchanged
 */
export function failuresOfFlips(
  decoder: () => Decoder,
  bytes: Uint8Array,
  rest: Uint8Array = new Uint8Array(),
): string[] {
  const failures = new Set<string>()
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.concat([flipped(bytes, bit >> 3, 1 << (bit & 7)), rest])
    failures.add(decodeFailure(() => decoded(decoder(), changed)) ?? 'none')
  }
  return [...failures].sort()
}

/** Text that compresses, with something in it that does not, a few kilobytes of it and always the same. */
export function sample(bytes = 3000): Buffer {
  const lines: string[] = []
  let random = 1
  for (let length = 0; length < bytes; length += lines.at(-1)?.length ?? 0) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    lines.push(`{"timestamp":${1764000000 + lines.length},"name":"start","context":{"id":"${random.toString(36)}"}}\n`)
  }
  return Buffer.from(lines.join('')).subarray(0, bytes)
}

/** Bytes that do not compress, always the same. */
export function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes)
  let random = 2463534242
  for (let i = 0; i < bytes; i++) {
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    out[i] = random
  }
  return out
}
