import { decodeVal, type Val } from '../kvs/index.ts'

/** True when the data of an inline value can be decoded. */
export function isDecodable(obj: Val): boolean {
  try {
    decodeVal(obj)
    return true
  } catch {
    return false
  }
}

/** The number of bytes that base64 text encodes. The text is not validated. */
export function inlineSize({ data }: Val): number {
  return Math.floor((withoutPadding(data).length * 3) / 4)
}

/**
 * Base64 text without the padding at its end, which is optional. The text is not validated, so it may hold millions of
 * such characters in its middle: a regular expression would look at each many times.
 */
export function withoutPadding(data: string): string {
  let end = data.length
  while (data[end - 1] === '=') end--
  return data.slice(0, end)
}
