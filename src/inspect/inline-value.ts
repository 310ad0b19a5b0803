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
