/**
 * The identifiers that the members of one directory get in one hierarchy. An identifier is derived from the name alone;
 * then the members are sorted as the standard wants them, where equal ones become neighbours, and all but the first of
 * those get another. So identifiers depend on nothing but the names of a directory and the order they came in.
 */
export interface Identifiers {
  /** Derive the identifier of a node, kept until {@link assign} gives it another. */
  derive(node: number): void
  /** The order of directory records and of the path table (ECMA-119 9.3, 6.9.1); 0 for the same identifier. */
  compare(a: number, b: number): number
  /** The identifier, without a version number. */
  text(node: number): string
  /** The `n`th text to try instead of one that is taken, from 1. */
  alternative(node: number, n: number): string
  assign(node: number, text: string): void
  /** Bytes of the identifier in a directory record. */
  length(node: number): number
  /** Write it. @returns its length in bytes */
  put(node: number, to: Buffer, at: number): number
}

/** Give the members of a directory their identifiers, and sort them by these. */
export function arrange(members: Int32Array, identifiers: Identifiers): void {
  for (const node of members) identifiers.derive(node)
  if (!sort(members, identifiers)) return
  const taken = new Set<string>()
  for (const node of members) taken.add(identifiers.text(node))
  // How far the numbers have come for each identifier that was taken: not from 1 for each of many alike.
  const tried = new Map<string, number>()
  // Assigned at the end: a member renamed at once would no longer be the neighbour of those that it was like.
  const renamed: [node: number, text: string][] = []
  for (let i = 1, first = 0; i < members.length; i++) {
    const node = members[i] as number
    if (identifiers.compare(members[first] as number, node) !== 0) {
      first = i
      continue
    }
    const text = identifiers.text(node)
    let n = tried.get(text) ?? 0
    let other: string
    do other = identifiers.alternative(node, ++n)
    while (taken.has(other))
    tried.set(text, n)
    taken.add(other)
    renamed.push([node, other])
  }
  for (const [node, text] of renamed) identifiers.assign(node, text)
  sort(members, identifiers)
}

/** @returns true when some are equal */
function sort(members: Int32Array, identifiers: Identifiers): boolean {
  let equal = false
  for (let i = 1; i < members.length; i++) {
    const order = identifiers.compare(members[i - 1] as number, members[i] as number)
    if (order === 0) equal = true
    if (order <= 0) continue
    // Nearly all directories come in order.
    members.sort((a, b) => identifiers.compare(a, b) || a - b)
    return members.some((node, at) => at > 0 && identifiers.compare(members[at - 1] as number, node) === 0)
  }
  return equal
}
