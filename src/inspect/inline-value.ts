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
  return Math.floor((data.replace(/=+$/, '').length * 3) / 4)
}
