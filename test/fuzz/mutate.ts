/** Makes inputs from others, as AFL does. All choices come from one generator, so that a seed repeats a run. */

/** A source of numbers from 0 up to 1. */
export type Random = () => number

const MAX_STEPS = 6
/** Values at which lengths and counts go wrong. */
const ODD = [
  0, 1, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256, 511, 512, 1023, 4095, 4096, 32767, 65535,
]
const ODD_32 = [...ODD, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

/** From 0 up to `count`. */
export function below(random: Random, count: number): number {
  return Math.floor(random() * count)
}

export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T
}

/** An input made from `from` by one to six steps. @param other - what is spliced in */
export function mutated(
  random: Random,
  from: Buffer,
  other: Buffer,
  tokens: readonly (string | Buffer)[],
  maxBytes: number,
): Buffer {
  let bytes = Buffer.from(from)
  for (let steps = 1 + below(random, MAX_STEPS); steps > 0; steps--) bytes = step(random, bytes, other, tokens)
  return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes
}

function step(
  random: Random,
  bytes: Buffer<ArrayBuffer>,
  other: Buffer,
  tokens: readonly (string | Buffer)[],
): Buffer<ArrayBuffer> {
  const at = below(random, bytes.length + 1)
  switch (below(random, 13)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << below(random, 8))
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = below(random, 256)
      return bytes
    case 2:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) + below(random, 9) - 4
      return bytes
    case 3:
      return withNumber(random, bytes, at)
    case 4:
      // A piece is lost.
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + length(random, bytes.length - at))])
    case 5: {
      // A piece occurs twice, perhaps many times.
      const piece = bytes.subarray(at, at + 1 + length(random, bytes.length - at))
      const times = random() < 0.05 ? 1 + below(random, 200) : 1 + below(random, 3)
      return Buffer.concat([bytes.subarray(0, at), ...Array<Buffer>(times).fill(piece), bytes.subarray(at)])
    }
    case 6: {
      const from = below(random, other.length + 1)
      const piece = other.subarray(from, from + 1 + length(random, other.length - from))
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + below(random, piece.length + 1))])
    }
    case 7: {
      const from = below(random, other.length + 1)
      other.copy(bytes, at, from, from + 1 + length(random, other.length - from))
      return bytes
    }
    case 8:
    case 9:
      if (tokens.length > 0) {
        const token = Buffer.from(oneOf(random, tokens))
        if (random() < 0.5) return Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at)])
        token.copy(bytes, at)
      }
      return bytes
    case 10:
      return withDigits(random, bytes, at)
    case 11:
      return bytes.subarray(0, at)
    default:
      bytes.fill(oneOf(random, [0, 0x20, 0x30, 0x37, 0xff]), at, at + length(random, bytes.length - at))
      return bytes
  }
}

/** A length up to `most`, and rather a short one. */
function length(random: Random, most: number): number {
  return below(random, random() < 0.7 ? Math.min(most, 16) : most)
}

/** A number of one to eight bytes in either order. */
function withNumber(random: Random, bytes: Buffer<ArrayBuffer>, at: number): Buffer<ArrayBuffer> {
  const width = oneOf(random, [1, 2, 4, 8])
  if (at + width > bytes.length) return bytes
  const value = width === 8 ? BigInt(oneOf(random, ODD_32)) << BigInt(oneOf(random, [0, 0, 16, 32])) : 0n
  const small = oneOf(random, width === 4 ? ODD_32 : ODD) & (width === 1 ? 0xff : width === 2 ? 0xffff : -1)
  const isLittle = random() < 0.5
  if (width === 8) {
    const fits = BigInt.asUintN(64, value)
    if (isLittle) bytes.writeBigUInt64LE(fits, at)
    else bytes.writeBigUInt64BE(fits, at)
  } else if (isLittle) bytes.writeUIntLE(small >>> 0, at, width)
  else bytes.writeUIntBE(small >>> 0, at, width)
  return bytes
}

/** Other digits where there are some. */
function withDigits(random: Random, bytes: Buffer<ArrayBuffer>, from: number): Buffer<ArrayBuffer> {
  const isDigit = (at: number) => (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39
  let at = from
  while (at < bytes.length && !isDigit(at)) at++
  let end = at
  while (end < bytes.length && isDigit(end)) end++
  if (at === bytes.length) return bytes
  const number = oneOf(random, [
    '0',
    '00',
    '-1',
    '1e9',
    '7',
    '8',
    '4294967296',
    '9007199254740993',
    '77777777777',
    '1.5',
  ])
  if (random() < 0.5) bytes.write(number.slice(0, end - at), at)
  else return Buffer.concat([bytes.subarray(0, at), Buffer.from(number), bytes.subarray(end)])
  return bytes
}
