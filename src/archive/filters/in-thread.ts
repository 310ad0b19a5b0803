/**
 * A decoder in a thread of its own, so that whoever reads the archive is not held up. Chunks go there and come back one by
 * one, and no more than {@link AHEAD} of them wait: what a small archive would blow up to never is in memory at once.
 */

import { type Broken, startThread } from '../../threads/index.ts'
import type { Reading } from '../member.ts'
import type { Decoder } from './decoder.ts'

/** Messages between the threads. */
export type ToThread = { chunk: Uint8Array } | { end: true } | { taken: true }
export type FromThread = { out: Uint8Array } | { more: true } | { done: true } | { failed: string } | Broken

/** Chunks that the thread may be ahead. */
export const AHEAD = 4

/** What a module exports whose decoder runs in the thread. */
export interface DecoderModule {
  createDecoder(): Promise<Decoder>
}

/** @param module - the URL of a {@link DecoderModule} */
export async function* decodeInThread(
  module: string,
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const received: FromThread[] = []
  let wake = () => {}
  const worker = startThread<FromThread>('./thread', import.meta.url, module, (message) => {
    received.push(message)
    wake()
  })
  const send = (message: ToThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer)
  const input = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      while (received.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const message = received.shift() as FromThread
      if ('out' in message) {
        yield message.out
        send({ taken: true })
      } else if ('more' in message) {
        const { done, value } = await input.next()
        if (done) {
          send({ end: true })
        } else {
          // A copy, because others may look at the same buffer; to send a view would copy all that is around it.
          const chunk = new Uint8Array(value)
          send({ chunk }, [chunk.buffer])
        }
      } else if ('done' in message) {
        return
      } else if ('failed' in message) {
        throw failure(message.failed, reading)
      } else {
        const { code, message: text, hint } = message.broken
        throw reading.error(code, `cannot decompress: ${text}`, hint === undefined ? {} : { hint })
      }
    }
  } finally {
    await worker.terminate()
    await input.return?.()
  }
}

function failure(text: string, reading: Reading): Error {
  if (text.startsWith('not supported')) return reading.error('ENOTSUP', `the compressed data is ${text}`)
  if (text === 'truncated') return reading.error('EBADMSG', 'truncated: the compressed data ends too early')
  return reading.error('EBADMSG', `the compressed data is ${text}`)
}
