const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** The id of a job from the key of its directory, in the form `f58plain`. @see RFC 19 */
export function jobidOfKey(key: string): string {
  let id = BigInt(`0x${key.split('.').slice(1).join('')}`)
  let digits = ''
  do {
    digits = BASE58[Number(id % 58n)] + digits
    id /= 58n
  } while (id > 0n)
  return `f${digits}`
}
