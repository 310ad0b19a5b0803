import { grown } from '../../bytes/index.ts'

const SPACE = 0x20
const MINUS = 0x2d
const ZERO = 0x30

/**
 * Parse the integers that an aggregate of SQLite has joined with spaces. They come as bytes: text would be split into a
 * string for each.
 *
 * @param text - ASCII digits; null for no numbers
 * @returns the numbers: a view of a buffer that the next call overwrites
 */
export function rowNumbers(text: Uint8Array | null): Float64Array {
  if (text === null) return numbers.subarray(0, 0)
  let count = 0
  let value = 0
  let sign = 1
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] as number
    if (byte === SPACE) {
      numbers = grown(numbers, count + 1)
      numbers[count++] = sign * value
      value = 0
      sign = 1
    } else if (byte === MINUS) sign = -1
    else value = value * 10 + byte - ZERO
  }
  numbers = grown(numbers, count + 1)
  numbers[count++] = sign * value
  return numbers.subarray(0, count)
}

let numbers = new Float64Array(1 << 11)
