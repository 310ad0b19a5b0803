/**
 * JSON with whole numbers of 64 bits. Flux's job ids and sizes are such numbers, and `JSON.parse` rounds those above 2^53
 * without a word. Here they become bigints; all other numbers stay numbers.
 */

/** `JSON.parse` with source text access and `JSON.rawJSON`: Node has them since version 21, the types not yet. */
interface SourceJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown): unknown
  rawJSON(text: string): object
}

const source = JSON as unknown as SourceJson

/** A number of 16 digits or more, which may not be a safe integer. In a string it costs time, and does no harm. */
const LONG_NUMBER = /(?:^|[\s[:,])-?\d{16}/

/**
 * As `JSON.parse`, but a whole number beyond `Number.MAX_SAFE_INTEGER`, either way, comes as a bigint.
 *
 * @throws {SyntaxError} not JSON
 */
export function parseJson(text: string): unknown {
  // A reviver is called for each value, which makes parsing several times as slow: hardly any text needs it.
  if (!LONG_NUMBER.test(text)) return JSON.parse(text)
  return source.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value,
  )
}

/**
 * As `JSON.stringify`, but a bigint is written as a plain number. What {@link parseJson} has read is written as it was.
 *
 * @param space - columns to indent by; all on one line without it
 */
export function stringifyJson(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, undefined, space)
  } catch (error) {
    // Either there is a bigint in it, or a cycle, which fails again.
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(
      value,
      (_name, member) => (typeof member === 'bigint' ? source.rawJSON(String(member)) : member),
      space,
    )
  }
}
