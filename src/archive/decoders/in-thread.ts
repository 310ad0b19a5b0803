/**
 * A decoder in a thread of its own, so that whoever reads the archive is not held up. Chunks go there and come back one by
 * one, and no more than {@link AHEAD} of them wait: what a small archive would blow up to never is in memory at once.
 */
import { Worker } from 'node:worker_threads'
import type { Reading } from '../member.ts'

/** Messages between the threads. */
export type ToThread = { chunk: Uint8Array } | { end: true } | { taken: true }
export type FromThread = { out: Uint8Array } | { more: true } | { done: true } | { failed: string } | { broken: string }

/** Chunks that the thread may be ahead. */
export const AHEAD = 4

export type ThreadDecoder = 'bzip2' | 'xz'

/** This file's neighbour, as source or built. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

export async function* decodeInThread(
  decoder: ThreadDecoder,
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
): AsyncGenerator<Uint8Array> {
  const worker = new Worker(THREAD, { workerData: decoder, execArgv: [] })
  const received: FromThread[] = []
  let wake = () => {}
  const receive = (message: FromThread) => {
    received.push(message)
    wake()
  }
  worker.on('message', receive)
  worker.on('error', (error) => receive({ broken: error.message }))
  worker.on('exit', (code) => receive({ broken: `the thread ended with ${code}` }))
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
        throw reading.error('EIO', `cannot decompress: ${message.broken}`)
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
