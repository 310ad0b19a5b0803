/**
 * A decoder in a thread of its own, so that the reader of the archive is not held up. While what has come out is used, the
 * thread works on what comes next.
 */
import type { FluxError } from '../../errors/index.ts'
import { Thread } from '../../threads/index.ts'
import type { Reading } from '../member.ts'
import type { Decoded, DecoderHandlers } from './thread.ts'

/** @param module - the URL of a module that is a `DecoderModule` */
export async function* decodeInThread(
  module: string,
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const thread = new Thread<DecoderHandlers>('decompress', './thread', import.meta.url, { module })
  const input = chunks[Symbol.asyncIterator]()
  let isEnded = false
  const more = async (): Promise<Decoded> => {
    const { done, value } = await input.next()
    isEnded = done === true
    if (done) return thread.call('finish', undefined).catch(broken)
    // A copy, because others may look at the same buffer; to send a view would copy all that is around it.
    const chunk = new Uint8Array(value)
    return thread.call('push', chunk, [chunk.buffer]).catch(broken)
  }
  const broken = ({ code, message, hint }: FluxError): never => {
    throw reading.error(code, `cannot decompress: ${message}`, hint === undefined ? {} : { hint })
  }
  try {
    for (let decoded = await more(); ; ) {
      const { pieces, isAll, failed } = decoded
      const rest = isAll || failed !== undefined ? undefined : thread.call('rest', undefined).catch(broken)
      // It is waited for later, or never.
      rest?.catch(() => {})
      yield* pieces
      if (failed !== undefined) throw failure(failed, reading)
      if (isAll && isEnded) return
      decoded = await (rest ?? more())
    }
  } finally {
    await thread.terminate()
    await input.return?.()
  }
}

function failure(text: string, reading: Reading): Error {
  if (text.startsWith('not supported')) return reading.error('ENOTSUP', `the compressed data is ${text}`)
  if (text === 'truncated') return reading.error('EBADMSG', 'truncated: the compressed data ends too early')
  return reading.error('EBADMSG', `the compressed data is ${text}`)
}
