/**
 * The output of the tasks of a job. The job shell stores it as an eventlog of data events (RFC 24).
 */
import { type EventlogEntry, parseEventlog } from '../../kvs/index.ts'
import { stringAt } from '../json.ts'

/** The record that holds the output. */
export const OUTPUT_RECORD = 'guest.output'

/** An output stream of the tasks of a job. */
export type OutputStream = 'stdout' | 'stderr'

/** How {@link taskOutput} gives the output. */
export interface TaskOutputOptions {
  /**
   * Put the ranks of the tasks in front of each piece that they wrote, as `flux job attach --label-io` does: `0: text`.
   * The shell stores a piece for each line, unless the tasks' output is not buffered.
   */
  label?: boolean | undefined
  /** Called with the path of each file that output was redirected to. */
  onElsewhere?: ((path: string) => void) | undefined
}

/**
 * Extract one stream from an output record, while the record is read: the output of all tasks, in the order in which it
 * was written.
 *
 * @param chunks - the bytes of the record
 */
export async function* taskOutput(
  chunks: AsyncIterable<readonly Uint8Array[]>,
  stream: OutputStream,
  { label = false, onElsewhere }: TaskOutputOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  for await (const entries of outputEvents(chunks)) {
    const pieces: Uint8Array[] = []
    for (const { name, context } of entries) {
      if (stringAt(context, 'stream') !== stream) continue
      const data = stringAt(context, 'data')
      const path = stringAt(context, 'path')
      if (name === 'data' && data !== undefined && data !== '') {
        if (label) pieces.push(Buffer.from(`${stringAt(context, 'rank') ?? '?'}: `))
        pieces.push(Buffer.from(data, stringAt(context, 'encoding') === 'base64' ? 'base64' : 'utf8'))
      } else if (name === 'redirect' && path !== undefined) {
        onElsewhere?.(path)
      }
    }
    if (pieces.length > 0) yield Buffer.concat(pieces)
  }
}

/**
 * What the job shell said about tasks that were killed because memory ran out; undefined when it said nothing.
 *
 * @param chunks - the bytes of the output record
 * @see flux-core `src/shell/oom.c`
 */
export async function outOfMemoryNote(chunks: AsyncIterable<readonly Uint8Array[]>): Promise<string | undefined> {
  for await (const entries of outputEvents(chunks)) {
    for (const { name, context } of entries) {
      const message = name === 'log' ? stringAt(context, 'message') : undefined
      if (message?.includes('out of memory')) return message.replace(/\.$/, '')
    }
  }
  return undefined
}

/** The events of an output record, while it is read. Lines that are no events are left out. */
async function* outputEvents(
  chunks: AsyncIterable<readonly Uint8Array[]>,
): AsyncGenerator<readonly EventlogEntry[], void, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const parts of chunks) {
    for (const part of parts) text += decoder.decode(part, { stream: true })
    const { entries, rest = '' } = parseEventlog(text, { tolerant: true })
    text = rest
    yield entries
  }
}
