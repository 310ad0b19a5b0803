/** The inverse of the Burrows-Wheeler transform, and of the shortening of runs before it. */

/** Bytes of output that are handed over at a time. */
const OUTPUT_BYTES = 256 << 10
const LEAST_OUTPUT_BYTES = 1 << 10

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1
  return crc >>> 0
})

/**
 * Invert the transform and restore runs of four and more bytes.
 *
 * @param links - the symbols of the block, a byte each; the other 24 bits are overwritten
 * @param origin - the row of the original text
 * @param count - number of symbols
 * @returns the checksum of the block
 */
export function* untransform(links: Uint32Array, origin: number, count: number): Generator<Uint8Array, number> {
  const places = new Uint32Array(256)
  for (let i = 0; i < count; i++) places[links[i] as number] = (places[links[i] as number] as number) + 1
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    const occurrences = places[byte] as number
    places[byte] = sum
    sum += occurrences
  }
  for (let i = 0; i < count; i++) {
    const place = places[(links[i] as number) & 0xff] as number
    places[(links[i] as number) & 0xff] = place + 1
    links[place] = ((links[place] as number) & 0xff) | (i << 8)
  }
  let crc = 0xffff_ffff
  // A short block mostly gives little: most streams of small files are one.
  const room = Math.min(OUTPUT_BYTES, Math.max(count, LEAST_OUTPUT_BYTES))
  let out = new Uint8Array(room)
  let length = 0
  let next = (links[origin] as number) >>> 8
  let previous = -1
  let repeats = 0
  for (let i = 0; i < count; i++) {
    const link = links[next] as number
    const byte = link & 0xff
    next = link >>> 8
    let copies = 1
    if (repeats === 4) {
      copies = byte
      repeats = 0
    } else {
      repeats = byte === previous ? repeats + 1 : 1
      previous = byte
    }
    if (length + copies > room) {
      yield out.subarray(0, length)
      out = new Uint8Array(room)
      length = 0
    }
    for (let copy = 0; copy < copies; copy++) {
      out[length++] = previous
      crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ previous] as number)
    }
    // The byte after a run's length begins a new run.
    if (repeats === 0) previous = -1
  }
  if (length > 0) yield out.subarray(0, length)
  return ~crc >>> 0
}
