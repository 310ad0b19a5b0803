import { FluxError, printable } from '../../errors/index.ts'
import {
  decodeInline,
  type EventlogEntry,
  type KvsReader,
  parseEventlog,
  ServiceReader,
  type Val,
} from '../../kvs/index.ts'

/** An eventlog that was read once. */
export interface HeldEventlog {
  readonly entries: readonly EventlogEntry[]
  /** The text of a last line without newline. */
  readonly rest: string | undefined
}

/**
 * Read an eventlog.
 *
 * @throws {FluxError} as {@link KvsReader.lookup}; `EINVAL` a line is not an event, or there is no complete line
 */
export async function readEventlog(reader: KvsReader, key: string): Promise<HeldEventlog> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const batch of reader.read(key)) for (const part of batch) text += decoder.decode(part, { stream: true })
  const { entries, rest } = parsed(text + decoder.decode())
  if (entries.length === 0) throw improper(rest === undefined ? 'it is empty' : 'no line ends in a newline')
  return { entries, rest }
}

/**
 * Watch an eventlog: yields the events that are in it, and then those that are appended.
 *
 * @throws {FluxError} as {@link ServiceReader.watch}; `EINVAL` a line is not an event, or the key holds text without a
 *   complete line
 */
export async function* watchEventlog(
  reader: ServiceReader,
  key: string,
  { waitCreate, signal }: { waitCreate?: boolean | undefined; signal?: AbortSignal | undefined },
): AsyncGenerator<readonly EventlogEntry[], void, void> {
  const decoder = new TextDecoder()
  let text = ''
  let isFirst = true
  for await (const obj of reader.watch(key, { append: true, waitCreate, signal })) {
    text += decoder.decode(
      decodeInline(obj as Val, () => key),
      { stream: true },
    )
    const { entries, rest = '' } = parsed(text)
    // The key does not hold an eventlog. Waiting for the end of the line could last for ever.
    if (isFirst && entries.length === 0 && rest !== '') throw improper('no line ends in a newline')
    isFirst = false
    text = rest
    yield entries
  }
}

/** Options of {@link eventsUntil}. */
export interface WaitEventOptions {
  /** Wait for the eventlog to be created. */
  waitCreate?: boolean | undefined
  /** Milliseconds to wait, at most 2^31 - 1; undefined waits for ever. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * The events of an eventlog, up to and including the first with a given name. On a live instance this waits until the
 * event is appended.
 *
 * @param name - the name of the event
 * @yields each event
 * @throws {FluxError} `ENOENT` no such eventlog; `ETIMEDOUT` the event did not come in time; `ENODATA` it will never
 *   come
 */
export async function* eventsUntil(
  reader: KvsReader,
  key: string,
  name: string,
  { waitCreate, timeoutMs, signal }: WaitEventOptions = {},
): AsyncGenerator<EventlogEntry, void, void> {
  const signals = signal === undefined ? [] : [signal]
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(Math.min(timeoutMs, MAX_TIMEOUT_MS))
  if (timeout) signals.push(timeout)
  try {
    const batches =
      reader instanceof ServiceReader
        ? watchEventlog(reader, key, { waitCreate, signal: AbortSignal.any(signals) })
        : [(await readEventlog(reader, key)).entries]
    for await (const entries of batches) {
      for (const entry of entries) {
        yield entry
        if (entry.name === name) return
      }
    }
  } catch (error) {
    if (timeout?.aborted && !signal?.aborted) {
      throw new FluxError('ETIMEDOUT', `wait-event timeout on event '${printable(name)}'`, { cause: error })
    }
    if (!(error instanceof FluxError) || error.code !== 'ENOENT') throw error
    throw new FluxError('ENOENT', `eventlog path ${printable(key)} not found`, { cause: error })
  }
  throw new FluxError('ENODATA', `event '${printable(name)}' never received`)
}

/** The longest delay of a Node timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

function parsed(text: string) {
  try {
    return parseEventlog(text)
  } catch (error) {
    throw error instanceof FluxError ? improper(error.message) : error
  }
}

function improper(what: string): FluxError {
  return new FluxError('EINVAL', `cannot decode improperly formatted eventlog: ${what}`)
}

/** An event as `--json` prints it. */
export function eventJson({ timestamp, name, context }: EventlogEntry): object {
  return { timestamp, name, ...(context === undefined ? {} : { context }) }
}
