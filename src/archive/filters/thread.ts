/** What runs in the thread of in-thread.ts. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { DecodeError } from './decoder.ts'
import { AHEAD, type DecoderModule, type FromThread, type ToThread } from './in-thread.ts'

const port = parentPort as MessagePort
const { createDecoder } = (await import(workerData as string)) as DecoderModule
const decoder = await createDecoder()

/** What is being worked off, and how much of what came out has not been taken yet. */
let work: Generator<Uint8Array> | undefined
let waiting = 0
let ended = false

const send = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

function go(): void {
  try {
    while (work !== undefined && waiting < AHEAD) {
      const { done, value } = work.next()
      if (done) {
        work = undefined
        send(ended ? { done: true } : { more: true })
      } else if (value.length > 0) {
        waiting++
        send({ out: value }, [value.buffer as ArrayBuffer])
      }
    }
  } catch (error) {
    work = undefined
    // Anything else ends the thread, and is told so at the other side.
    if (!(error instanceof DecodeError)) throw error
    send({ failed: error.message })
  }
}

port.on('message', (message: ToThread) => {
  if ('taken' in message) waiting--
  else if ('chunk' in message) work = decoder.push(message.chunk)
  else {
    ended = true
    work = decoder.finish()
  }
  go()
})
send({ more: true })
