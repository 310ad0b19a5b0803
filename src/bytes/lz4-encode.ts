/**
 * The LZ4 block format, encoding (lz4_Block_format.md of the LZ4 project), the fast way: one look-up a position, and
 * longer and longer strides over bytes that do not repeat. Written here for the same reason as the decoder: many small
 * blobs of one buffer become many small blocks in another, without an allocation or a call into native code for each.
 */

/** A match is at least this long: shorter ones cannot be written. */
const MIN_MATCH = 4
/** The last match begins this far before the end of the block, or further, */
const LAST_MATCH = 12
/** and the last bytes are always literals. */
const LAST_LITERALS = 5
const MAX_OFFSET = 0xffff
/** Table sizes, as powers of two: a small blob does not pay for clearing a large table. */
const LEAST_HASH_BITS = 8
const MOST_HASH_BITS = 14
/** After 2 to the power of this many look-ups without a match, the stride grows by one. */
const STRIDE_BITS = 6

/** Where a hash of four bytes was seen last: its position plus one. One table serves all, as nothing here can wait. */
const seen = new Int32Array(1 << MOST_HASH_BITS)

/**
 * Compress one LZ4 block.
 *
 * @param source - holds the bytes
 * @param from - where they begin in `source`
 * @param length - how many
 * @param target - receives the block
 * @param at - where it begins in `target`
 * @param room - the bytes it may take
 * @returns the bytes it takes; 0 when it does not fit, with `target` partly overwritten within `at` … `at + room`
 */
export function lz4EncodeBlock(
  source: Uint8Array,
  from: number,
  length: number,
  target: Uint8Array,
  at: number,
  room: number,
): number {
  const end = from + length
  const limit = at + Math.min(room, target.length - at)
  let t = at
  let anchor = from
  if (length > LAST_MATCH) {
    const bits = Math.min(Math.max(32 - Math.clz32(length), LEAST_HASH_BITS), MOST_HASH_BITS)
    const shift = 32 - bits
    seen.fill(0, 0, 1 << bits)
    const matchStop = end - LAST_MATCH
    const matchEnd = end - LAST_LITERALS
    let s = from
    let misses = 1 << STRIDE_BITS
    while (s <= matchStop) {
      const word = word32(source, s)
      const slot = Math.imul(word, 0x9e3779b1) >>> shift
      let match = (seen[slot] as number) - 1
      seen[slot] = s + 1
      if (match < from || s - match > MAX_OFFSET || word32(source, match) !== word) {
        s += misses++ >>> STRIDE_BITS
        continue
      }
      misses = 1 << STRIDE_BITS
      while (s > anchor && match > from && source[s - 1] === source[match - 1]) {
        s--
        match--
      }
      let stop = s + MIN_MATCH
      for (let m = match + MIN_MATCH; stop < matchEnd && source[stop] === source[m]; m++) stop++
      const literals = s - anchor
      const rest = stop - s - MIN_MATCH
      // Token, lengths, literals and offset; what ends the block is looked at below.
      if (t + 1 + lengthBytes(literals) + literals + 2 + lengthBytes(rest) > limit) return 0
      t = putToken(target, t, literals, Math.min(rest, 15))
      t = copy(source, anchor, literals, target, t)
      const offset = s - match
      target[t++] = offset & 0xff
      target[t++] = offset >>> 8
      if (rest >= 15) t = putLength(target, t, rest - 15)
      s = stop
      anchor = stop
      // A position within the match, so that what repeats with a short period is found again at once.
      if (s <= matchStop) seen[Math.imul(word32(source, s - 2), 0x9e3779b1) >>> shift] = s - 1
    }
  }
  const literals = end - anchor
  if (t + 1 + lengthBytes(literals) + literals > limit) return 0
  t = putToken(target, t, literals, 0)
  return copy(source, anchor, literals, target, t) - at
}

function word32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** The bytes a length takes beyond its four bits in the token. */
function lengthBytes(length: number): number {
  return length < 15 ? 0 : Math.floor((length - 15) / 255) + 1
}

function putToken(target: Uint8Array, at: number, literals: number, rest: number): number {
  target[at] = (Math.min(literals, 15) << 4) | rest
  return literals < 15 ? at + 1 : putLength(target, at + 1, literals - 15)
}

function putLength(target: Uint8Array, at: number, length: number): number {
  let left = length
  let t = at
  for (; left >= 255; left -= 255) target[t++] = 255
  target[t++] = left
  return t
}

/** Runs shorter than this are copied byte by byte: a call of `set` costs more than it saves. */
const LONG_COPY = 64

function copy(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): number {
  if (length >= LONG_COPY) {
    target.set(source.subarray(from, from + length), at)
    return at + length
  }
  let t = at
  for (let s = from; s < from + length; s++) target[t++] = source[s] as number
  return t
}
