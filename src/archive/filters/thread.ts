/** What runs in the thread of in-thread.ts. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../threads/index.ts'
import { DecodeError, type Decoder } from './decoder.ts'

/** What the thread is started with: the URL of a {@link DecoderModule}. */
export interface DecoderThreadData {
  module: string
}

/** What a module exports whose decoder runs in the thread. */
export interface DecoderModule {
  createDecoder(): Promise<Decoder>
}

/** Some of what comes out. */
export interface Decoded {
  pieces: Uint8Array[]
  /** Nothing more comes out of the input so far. */
  isAll: boolean
  /** Why the data cannot be decoded any further: as of {@link DecodeError}. */
  failed?: string
}

/** What it answers. Each time at most {@link MOST_PIECES} come out: what a small archive blows up to is never all in memory. */
export type DecoderHandlers = {
  push: (chunk: Uint8Array) => Answer<Decoded>
  finish: () => Answer<Decoded>
  /** What else comes out of what was pushed. */
  rest: () => Answer<Decoded>
}

const MOST_PIECES = 4

const { module } = workerData as DecoderThreadData

serveThread('decompress', async (): Promise<DecoderHandlers> => {
  const { createDecoder } = (await import(module)) as DecoderModule
  const decoder = await createDecoder()
  let work: Generator<Uint8Array>
  const next = (): Answer<Decoded> => {
    const pieces: Uint8Array[] = []
    const transfer: ArrayBuffer[] = []
    let isAll = false
    let failed: string | undefined
    try {
      while (pieces.length < MOST_PIECES && !isAll) {
        const { done, value } = work.next()
        if (done) isAll = true
        else if (value.length > 0) {
          pieces.push(value)
          transfer.push(value.buffer as ArrayBuffer)
        }
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      failed = error.message
    }
    return { reply: { pieces, isAll, ...(failed !== undefined && { failed }) }, transfer }
  }
  return {
    push(chunk) {
      work = decoder.push(chunk)
      return next()
    },
    finish() {
      work = decoder.finish()
      return next()
    },
    rest: next,
  }
})
