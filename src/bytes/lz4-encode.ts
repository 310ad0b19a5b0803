/**
 * An encoder of the LZ4 block format (lz4_Block_format.md of the LZ4 project). It is the fast variant: one look-up per
 * position, and longer and longer strides over bytes that do not repeat. It is written here for the same reason as the
 * decoder: it turns many small blobs of one buffer into many small blocks of another, without an allocation or a call
 * into native code for each.
 */

/** The shortest match: the format cannot hold a shorter one. */
const MIN_MATCH = 4
/** No match begins closer than this to the end of the block. */
const LAST_MATCH = 12
/** The last bytes of a block, at least this many, are always literals. */
const LAST_LITERALS = 5
const MAX_OFFSET = 0xffff
/** Table sizes, as powers of two. A small blob uses a small table, because clearing a large one would cost more. */
const LEAST_HASH_BITS = 8
const MOST_HASH_BITS = 14
const HASH_FACTOR = 0x9e3779b1
/** After 2 to the power of this many look-ups without a match, the stride grows by one. */
const STRIDE_BITS = 6

/**
 * Where a hash of four bytes was seen last: `seenBefore`, plus the position in the block, plus one. Encoding is
 * synchronous, so one table is enough. What earlier blocks left in it is at most `seenBefore`, so it need not be cleared
 * for each block, which took as long as encoding a small one.
 */
const seen = new Int32Array(1 << MOST_HASH_BITS)
let seenBefore = 0
const MAX_SEEN = 0x7fffffff

/**
 * Compress one LZ4 block.
 *
 * @param source - holds the bytes to compress
 * @param from - where they begin in `source`
 * @param length - number of bytes to compress
 * @param target - receives the block
 * @param at - where the block begins in `target`
 * @param room - the most bytes the block may take
 * @returns the length of the block; 0 when it does not fit, with `target` partly overwritten within `at` … `at + room`
 */
export function lz4EncodeBlock(
  source: Uint8Array,
  from: number,
  length: number,
  target: Uint8Array,
  at: number,
  room: number,
): number {
  const limit = at + Math.min(room, target.length - at)
  let t = at
  // Positions count from the begin of the block.
  let anchor = 0
  if (length > LAST_MATCH) {
    // One load for four bytes; four loads of a byte each took half again as long.
    const words = new DataView(source.buffer, source.byteOffset + from, length)
    const bits = Math.min(Math.max(32 - Math.clz32(length), LEAST_HASH_BITS), MOST_HASH_BITS)
    const shift = 32 - bits
    if (seenBefore > MAX_SEEN - length) {
      seen.fill(0)
      seenBefore = 0
    }
    const before = seenBefore
    seenBefore += length
    const matchStop = length - LAST_MATCH
    const matchEnd = length - LAST_LITERALS
    let s = 0
    let misses = 1 << STRIDE_BITS
    while (s <= matchStop) {
      const word = words.getInt32(s, true)
      const slot = Math.imul(word, HASH_FACTOR) >>> shift
      let match = (seen[slot] as number) - before - 1
      seen[slot] = before + s + 1
      if (match < 0 || s - match > MAX_OFFSET || words.getInt32(match, true) !== word) {
        s += misses++ >>> STRIDE_BITS
        continue
      }
      misses = 1 << STRIDE_BITS
      while (s > anchor && match > 0 && source[from + s - 1] === source[from + match - 1]) {
        s--
        match--
      }
      const stop = endOfMatch(words, s + MIN_MATCH, match + MIN_MATCH, matchEnd)
      const literals = s - anchor
      const rest = stop - s - MIN_MATCH
      // Room for token, lengths, literals and offset. The check below covers the last literals.
      if (t + 1 + lengthBytes(literals) + literals + 2 + lengthBytes(rest) > limit) return 0
      t = putToken(target, t, literals, Math.min(rest, 15))
      t = copy(source, from + anchor, literals, target, t)
      const offset = s - match
      target[t++] = offset & 0xff
      target[t++] = offset >>> 8
      if (rest >= 15) t = putLength(target, t, rest - 15)
      s = stop
      anchor = stop
      // Also remember a position within the match, to find bytes that repeat with a short period at once.
      if (s <= matchStop) seen[Math.imul(words.getInt32(s - 2, true), HASH_FACTOR) >>> shift] = before + s - 1
    }
  }
  const literals = length - anchor
  if (t + 1 + lengthBytes(literals) + literals > limit) return 0
  t = putToken(target, t, literals, 0)
  return copy(source, from + anchor, literals, target, t) - at
}

/** Where two runs of equal bytes end: the first byte at `a` or after it that differs from its partner, at most `end`. */
function endOfMatch(words: DataView, a: number, b: number, end: number): number {
  let i = a
  let k = b
  for (; i <= end - 4; i += 4, k += 4) {
    const differing = words.getInt32(i, true) ^ words.getInt32(k, true)
    // The lowest byte that differs is the first one, since words are little-endian.
    if (differing !== 0) return i + ((31 - Math.clz32(differing & -differing)) >>> 3)
  }
  while (i < end && words.getInt8(i) === words.getInt8(k)) {
    i++
    k++
  }
  return i
}

/** How many bytes a length takes besides its four bits in the token. */
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

/** Runs shorter than this are copied byte by byte: for them, a call of `set` costs more than it saves. */
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
