/** Runs in the thread of in-thread.ts. */
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../threads/index.ts'
import { DecodeError, type Decoder } from './decoder.ts'

/** Start data of the thread: the URL of a {@link DecoderModule}. */
export interface DecoderThreadData {
  module: string
  isSalvaging: boolean
}

/** A module whose decoder runs in the thread. */
export interface DecoderModule {
  /** @param isSalvaging - leave out what is damaged, if the decoder can */
  createDecoder(isSalvaging: boolean): Promise<Decoder>
}

/** Part of the decoder's output. */
export interface Decoded {
  pieces: Uint8Array[]
  /** True when the input so far gives no more output. */
  isAll: boolean
  /** Why the data cannot be decoded: the message of a {@link DecodeError}. */
  failed?: string
  /** Damages that were left out. */
  losses?: string[]
}

/**
 * The calls of the thread. Each returns at most {@link MAX_PIECES} pieces, so that the output of a decompression bomb
 * is never all in memory.
 */
export type DecoderHandlers = {
  push: (chunk: Uint8Array) => Answer<Decoded>
  finish: () => Answer<Decoded>
  /** The next part of the output of the last input. */
  rest: () => Answer<Decoded>
}

const MAX_PIECES = 4

const { module, isSalvaging } = workerData as DecoderThreadData

serveThread('decompress', async (): Promise<DecoderHandlers> => {
  const { createDecoder } = (await import(module)) as DecoderModule
  const decoder = await createDecoder(isSalvaging)
  let work: Generator<Uint8Array>
  const next = (): Answer<Decoded> => {
    const pieces: Uint8Array[] = []
    const transfer: ArrayBuffer[] = []
    let isAll = false
    let failed: string | undefined
    try {
      while (pieces.length < MAX_PIECES && !isAll) {
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
    const losses = decoder.takeLosses?.() ?? []
    return {
      reply: { pieces, isAll, ...(failed !== undefined && { failed }), ...(losses.length > 0 && { losses }) },
      transfer,
    }
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
