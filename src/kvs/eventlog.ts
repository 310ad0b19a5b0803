/**
 * Eventlogs (RFC 18): text, one JSON object a line, each line ending in a newline. A log grows by appending, so what is
 * there stays.
 */
import { parseJson } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'

/** One event of a log. */
export interface EventlogEntry {
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly name: string
  /** What is said about it, as an object; undefined when nothing is. Whole numbers beyond 2^53 are bigints. */
  readonly context: Readonly<Record<string, unknown>> | undefined
  /** The line it was read from, without its newline. */
  readonly text: string
}

/** What {@link parseEventlog} makes of a text. */
export interface Eventlog {
  readonly entries: EventlogEntry[]
  /** What follows the last newline: a line that was cut off. Undefined for a whole log. */
  readonly rest: string | undefined
  /** Lines that are no events, in order, where those are tolerated. */
  readonly bad: { readonly line: number; readonly text: string; readonly reason: string }[]
}

/** How {@link parseEventlog} treats lines that are no events. */
export interface ParseEventlogOptions {
  /** Leave out lines that are no events instead of throwing: for salvage. */
  tolerant?: boolean | undefined
}

/**
 * Take an eventlog apart. A last line without its newline is not an error: it comes back as `rest`, so that parts of a log
 * can be parsed as they come, and damage be seen.
 *
 * @throws {FluxError} `EINVAL` a line that is no event, with its number
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
