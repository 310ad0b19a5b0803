/** Eventlogs (RFC 18): text, one JSON object a line, each line ending in a newline. A log only grows by appending. */
import { isNestedTooDeeply, parseJson } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'

/** One event of a log. */
export interface EventlogEntry {
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly name: string
  /** The event's context object, if it has one. Integers beyond 2^53 are bigints. */
  readonly context: Readonly<Record<string, unknown>> | undefined
  /** The line it was read from, without its newline. */
  readonly text: string
}

/** The result of {@link parseEventlog}. */
export interface Eventlog {
  readonly entries: EventlogEntry[]
  /** The text after the last newline: a line that was cut off. Undefined for a complete log. */
  readonly rest: string | undefined
  /** Lines that are not events, in order; always empty unless `tolerant` is set. */
  readonly bad: { readonly line: number; readonly text: string; readonly reason: string }[]
}

/** How {@link parseEventlog} treats lines that are not events. */
export interface ParseEventlogOptions {
  /** Collect lines that are not events in `bad` instead of throwing. Used to salvage damaged logs. */
  tolerant?: boolean | undefined
}

/**
 * Parse an eventlog. A last line without its newline is not an error: it is returned as `rest`, so that a caller can
 * parse a log piece by piece and notice a truncated one.
 *
 * @throws {FluxError} `EINVAL` a line is not an event; the message gives its number
 * @see RFC 18; flux-core `src/common/libeventlog/eventlog.c`
 */
export function parseEventlog(text: string, { tolerant = false }: ParseEventlogOptions = {}): Eventlog {
  const entries: EventlogEntry[] = []
  const bad: Eventlog['bad'] = []
  let at = 0
  for (let line = 1; ; line++) {
    const end = text.indexOf('\n', at)
    if (end === -1) return { entries, rest: at < text.length ? text.slice(at) : undefined, bad }
    const entry = parseEvent(text.slice(at, end))
    if (typeof entry !== 'string') entries.push(entry)
    else if (tolerant) bad.push({ line, text: text.slice(at, end), reason: entry })
    else throw new FluxError('EINVAL', `line ${line} of the eventlog: ${entry}`)
    at = end + 1
  }
}

/** How Flux writes an event. It writes the members in this order, and no spaces. */
const TIMESTAMP = '{"timestamp":'
const NAME = ',"name":"'
const CONTEXT = '","context":'

/**
 * The event of a line in the form that Flux writes, of which only the context is parsed as JSON: that halves the time.
 * A line in any other form, also a wrong one, is left to {@link parseEvent}.
 */
export function plainEvent(text: string): EventlogEntry | undefined {
  if (!text.startsWith(TIMESTAMP)) return undefined
  let at = TIMESTAMP.length
  for (let char = text.charCodeAt(at); (char >= ZERO && char <= NINE) || char === DOT; ) char = text.charCodeAt(++at)
  const digits = text.slice(TIMESTAMP.length, at)
  if (!PLAIN_NUMBER.test(digits) || !text.startsWith(NAME, at)) return undefined
  const from = at + NAME.length
  // It is -1 where the name has no end: such a line has none of the forms below.
  const to = text.indexOf('"', from)
  const name = text.slice(from, to)
  if (!PLAIN_NAME.test(name)) return undefined
  const timestamp = Number(digits)
  if (to + 2 === text.length && text.endsWith('}')) return { timestamp, name, context: undefined, text }
  if (!text.startsWith(CONTEXT, to) || !text.endsWith('}')) return undefined
  try {
    const context = parseJson(text.slice(to + CONTEXT.length, -1))
    return isObject(context) ? { timestamp, name, context, text } : undefined
  } catch {
    return undefined
  }
}

const [ZERO, NINE, DOT] = [0x30, 0x39, 0x2e]
/** Not more digits than a double tells apart; no zero in front, as in JSON. */
const PLAIN_NUMBER = /^[1-9]\d{0,14}(?:\.\d{1,20})?$/
const PLAIN_NAME = /^[\w.-]*$/

/** @returns the event, or what is wrong with the line */
function parseEvent(text: string): EventlogEntry | string {
  if (isNestedTooDeeply(text)) return 'nested too deeply'
  const plain = plainEvent(text)
  if (plain) return plain
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return 'not JSON'
  }
  if (!isObject(value)) return 'not an object'
  const { timestamp: time, name, context } = value
  const timestamp = typeof time === 'bigint' ? Number(time) : time
  if (typeof timestamp !== 'number') return 'no timestamp'
  if (typeof name !== 'string') return 'no name'
  if (context !== undefined && !isObject(context)) return 'the context is not an object'
  return { timestamp, name, context, text }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
