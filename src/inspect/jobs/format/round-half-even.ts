/**
 * Numbers in decimal digits, as C and Python round them: a value that lies exactly between two goes to the even one.
 * JavaScript takes the larger.
 */

/** As `toFixed`, for any size. @param digits - after the point, at most 100 */
export function fixedText(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21) {
    const whole = BigInt(value).toString()
    return digits === 0 ? whole : `${whole}.${'0'.repeat(digits)}`
  }
  const text = value.toFixed(digits)
  if (digits >= 99 || !isTie(value.toFixed(digits + 1), () => value.toFixed(100), digits + 1)) return text
  return withEvenEnd(text)
}

/** As `toExponential`: `1.25e+2`. @param digits - after the point, at most 100 */
export function exponentialText(value: number, digits: number): string {
  const text = value.toExponential(digits)
  if (digits >= 99) return text
  const [more, moreExponent] = partsOf(value.toExponential(digits + 1))
  if (!isTie(more, () => partsOf(value.toExponential(100))[0], digits + 1)) return text
  const [mantissa, exponent] = partsOf(text)
  // 9.5 has become 1e+1: ten is even.
  return exponent === moreExponent ? `${withEvenEnd(mantissa)}e${exponent}` : text
}

function partsOf(text: string): [mantissa: string, exponent: string] {
  const at = text.indexOf('e')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** True when all that follows the wanted digits is a five and zeros. */
function isTie(withOneMore: string, exact: () => string, digits: number): boolean {
  if (!withOneMore.endsWith('5')) return false
  const all = exact()
  const point = all.indexOf('.')
  return all[point + digits] === '5' && /^0*$/.test(all.slice(point + digits + 1))
}

/** A tie was rounded away from zero. If that made the last digit odd, the even one is the digit below it. */
function withEvenEnd(text: string): string {
  const last = Number(text.at(-1))
  return last % 2 === 0 ? text : `${text.slice(0, -1)}${last - 1}`
}
