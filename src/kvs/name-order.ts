const SURROGATE = /[\ud800-\udfff]/

/**
 * Sort names by their UTF-8 bytes: the order in which Flux writes them and a walk visits them. JavaScript compares
 * UTF-16 code units, whose order differs beyond U+FFFF.
 *
 * @param names - sorted in place
 */
export function sortNames(names: string[]): string[] {
  if (inByteOrder(names)) return names
  if (names.some((name) => SURROGATE.test(name))) {
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
  return names.sort()
}

/** True when names are in the order of {@link sortNames}. It may be false for names beyond U+FFFF that are. */
export function inByteOrder(names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    if ((i > 0 && (names[i - 1] as string) > name) || SURROGATE.test(name)) return false
  }
  return true
}
