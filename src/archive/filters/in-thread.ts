/**
 * Runs a decoder in its own thread, so that it does not block the reader of the archive. While the reader uses one
 * batch of pieces, the thread decodes the next.
 */
import type { FluxError } from '../../errors/index.ts'
import { Thread } from '../../threads/index.ts'
import type { Reading } from '../member.ts'
import type { Decoded, DecoderHandlers } from './thread.ts'

/** @param module - the URL of a module that exports `createDecoder`, see `DecoderModule` */
export async function* decodeInThread(
  module: string,
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const thread = new Thread<DecoderHandlers>('decompress', './thread', import.meta.url, {
    module,
    isSalvaging: reading.isSalvaging,
  })
  const input = chunks[Symbol.asyncIterator]()
  let isEnded = false
  const more = async (): Promise<Decoded> => {
    const { done, value } = await input.next()
    isEnded = done === true
    if (done) return thread.call('finish', undefined).catch(broken)
    // A copy, because other code may use the same buffer, and because sending a view would copy its whole buffer.
    const chunk = new Uint8Array(value)
    return thread.call('push', chunk, [chunk.buffer]).catch(broken)
  }
  const broken = ({ code, message, hint }: FluxError): never => {
    throw reading.error(code, message, hint === undefined ? {} : { hint })
  }
  try {
    for (let decoded = await more(); ; ) {
      const { pieces, isAll, failed, losses = [] } = decoded
      const rest = isAll || failed !== undefined ? undefined : thread.call('rest', undefined).catch(broken)
      // It is awaited later, or never if the reader stops. Then a failure must not be an unhandled rejection.
      rest?.catch(() => {})
      for (const loss of losses) reading.lose(failure(loss, reading))
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
