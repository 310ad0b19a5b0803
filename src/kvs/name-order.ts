const SURROGATE = /[\ud800-\udfff]/

/**
 * Sort names by their UTF-8 bytes: the order in which Flux writes them and a walk visits them. JavaScript compares
 * UTF-16 code units, whose order differs beyond U+FFFF.
 *
 * @param names - sorted in place
 */
export function sortNames(names: string[]): string[] {
  let surrogates = false
  let sorted = true
  for (let i = 0; i < names.length; i++) {
    if (i > 0 && (names[i - 1] as string) > (names[i] as string)) sorted = false
    if (!surrogates && SURROGATE.test(names[i] as string)) surrogates = true
  }
  if (surrogates) return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return sorted ? names : names.sort()
}
