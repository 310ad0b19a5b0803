/**
 * The identifiers of the members of one directory in one hierarchy. An identifier is derived from the name. Then the
 * members are sorted as the standard requires, so that equal identifiers become neighbours, and all but the first of
 * them get another one. So identifiers depend only on the names in a directory and the order in which they were added.
 */
export interface Identifiers {
  /** Derive the identifier of a node. {@link assign} may replace it. */
  derive(node: number): void
  /** The order of directory records and of the path table (ECMA-119 9.3, 6.9.1); 0 for the same identifier. */
  compare(a: number, b: number): number
  /** The identifier without its version number. */
  text(node: number): string
  /** The `n`th alternative to an identifier that is taken, from 1. */
  alternative(node: number, n: number): string
  assign(node: number, text: string): void
  /** Bytes of the identifier in a directory record. */
  length(node: number): number
  /** Write the identifier. @returns its length in bytes */
  put(node: number, to: Buffer, at: number): number
}

/** Give the members of a directory their identifiers, and sort them by identifier. */
export function arrange(members: Int32Array, identifiers: Identifiers): void {
  for (const node of members) identifiers.derive(node)
  if (!sort(members, identifiers)) return
  const taken = new Set<string>()
  for (const node of members) taken.add(identifiers.text(node))
  // The last number tried for each taken identifier, so that many equal ones do not all start from 1.
  const tried = new Map<string, number>()
  // New identifiers are assigned at the end: a member renamed at once would no longer be a neighbour of its equals.
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

/** @returns true when some identifiers are equal */
function sort(members: Int32Array, identifiers: Identifiers): boolean {
  let equal = false
  for (let i = 1; i < members.length; i++) {
    const order = identifiers.compare(members[i - 1] as number, members[i] as number)
    if (order === 0) equal = true
    if (order <= 0) continue
    // Nearly all directories are sorted already.
    members.sort((a, b) => identifiers.compare(a, b) || a - b)
    return members.some((node, at) => at > 0 && identifiers.compare(members[at - 1] as number, node) === 0)
  }
  return equal
}
