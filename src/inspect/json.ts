/** Access to parsed JSON of unknown shape. Integers beyond 2^53 are bigints, as `parseJson` returns them. */

export type JsonRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member at a path; undefined when there is none. */
export function memberAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const name of path) at = isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined
  return at
}

export function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = memberAt(value, ...path)
  return typeof found === 'string' ? found : undefined
}

/** The number at a path; undefined when there is none. A bigint is rounded to a double. */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = memberAt(value, ...path)
  if (typeof found === 'bigint') return Number(found)
  return typeof found === 'number' ? found : undefined
}

/**
 * Set the member at a dotted path, and create the objects on the way.
 *
 * @param root - changed in place
 */
export function setAt(root: JsonRecord, path: string, value: unknown): void {
  const names = path.split('.')
  let at = root as Record<string, unknown>
  for (const name of names.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined
    if (isRecord(next)) at = next as Record<string, unknown>
    else defineMember(at, name, (at = {}))
  }
  defineMember(at, names.at(-1) as string, value)
}

/**
 * Update an object with another: nested objects are merged, and null removes a member.
 *
 * @returns a new object; undefined when nothing is left
 */
export function merged(old: JsonRecord | undefined, update: JsonRecord): JsonRecord | undefined {
  const result: Record<string, unknown> = { ...old }
  for (const [name, value] of Object.entries(update)) {
    const before = memberAt(old, name)
    const after = isRecord(value) ? merged(isRecord(before) ? before : undefined, value) : value
    if (after === null || after === undefined) delete result[name]
    else defineMember(result, name, after)
  }
  return Object.keys(result).length > 0 ? result : undefined
}

/** Like an assignment, but `__proto__` is an ordinary name. */
function defineMember(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
