/** The most letters by which a candidate may differ from what was typed. */
const NEAR = 3

/**
 * The candidate that is nearest to what was typed. A candidate is one word, or several with colons between.
 *
 * @param typed - words; those beyond the last word of a candidate are ignored
 * @returns undefined when none is near
 */
export function nearest(typed: readonly string[], candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const words = candidate.split(':')
    const distances = words.map((word, i) => {
      const distance = editDistance(typed[i] ?? '', word)
      return distance <= NEAR && distance < word.length / 2 ? distance : Number.POSITIVE_INFINITY
    })
    const distance = distances.reduce((sum, each) => sum + each, 0)
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance }
  }
  return best?.candidate
}

/**
 * The restricted Damerau-Levenshtein distance (optimal string alignment): how many letters must be inserted, deleted,
 * changed, or swapped with their neighbour, no letter twice.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] as number) + (a[i] === b[j] ? 0 : 1)
      let least = Math.min(changed, (row[j + 1] as number) + 1, (next[j] as number) + 1)
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j])
        least = Math.min(least, (before[j - 1] as number) + 1)
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length] as number
}
