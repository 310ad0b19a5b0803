/** Eventlogs (RFC 18): text, one JSON object a line, each line ending in a newline. A log only grows by appending. */
import { parseJson } from '../bytes/index.ts'
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

/** @returns the event, or what is wrong with the line */
function parseEvent(text: string): EventlogEntry | string {
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
