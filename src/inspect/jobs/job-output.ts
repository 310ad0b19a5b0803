/**
 * The output of the tasks of a job. The job shell stores it as an eventlog of data events (RFC 24).
 */
import { parseEventlog } from '../../kvs/index.ts'
import { stringAt } from '../json.ts'

/** The record that holds the output. */
export const OUTPUT_RECORD = 'guest.output'

/** An output stream of the tasks of a job. */
export type OutputStream = 'stdout' | 'stderr'

/**
 * Extract one stream from an output record, while the record is read: the output of all tasks, in the order in which it
 * was written.
 *
 * @param chunks - the bytes of the record
 * @param onElsewhere - called with the path of each file that output was redirected to
 */
export async function* taskOutput(
  chunks: AsyncIterable<readonly Uint8Array[]>,
  stream: OutputStream,
  onElsewhere?: (path: string) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const parts of chunks) {
    for (const part of parts) text += decoder.decode(part, { stream: true })
    const { entries, rest = '' } = parseEventlog(text, { tolerant: true })
    text = rest
    const pieces: Uint8Array[] = []
    for (const { name, context } of entries) {
      if (stringAt(context, 'stream') !== stream) continue
      const data = stringAt(context, 'data')
      const path = stringAt(context, 'path')
      if (name === 'data' && data !== undefined) {
        pieces.push(Buffer.from(data, stringAt(context, 'encoding') === 'base64' ? 'base64' : 'utf8'))
      } else if (name === 'redirect' && path !== undefined) {
        onElsewhere?.(path)
      }
    }
    if (pieces.length > 0) yield Buffer.concat(pieces)
  }
}
