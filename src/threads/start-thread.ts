/** Threads that send messages when they like, and not only when they are asked. */
import type { Worker } from 'node:worker_threads'
import { FluxError, limitError } from '../errors/index.ts'
import { startWorker } from './start-worker.ts'

/** What is received, last of all, of a thread that ended by itself, or did not start. */
export interface Broken {
  broken: FluxError
}

/**
 * Start a thread.
 *
 * @param file - a neighbour of the caller's, without its extension: `./thread`, as source or built
 * @param from - the caller's `import.meta.url`
 * @param receive - takes the thread's messages
 * @throws {FluxError} `EMFILE`, `EAGAIN`, `ENOMEM` it cannot be started. Mostly that is received, later on
 */
export function startThread<Message>(
  file: string,
  from: string,
  workerData: unknown,
  receive: (message: Message | Broken) => void,
): Worker {
  let runs = false
  const failed = (error: unknown) => limitError(error, runs ? 'a thread failed' : 'cannot start a thread')
  let worker: Worker
  try {
    worker = startWorker(file, from, workerData)
  } catch (error) {
    throw failed(error)
  }
  worker.on('online', () => {
    runs = true
  })
  worker.on('message', receive)
  worker.on('error', (error) => receive({ broken: failed(error) }))
  worker.on('exit', (code) => receive({ broken: new FluxError('EIO', `a thread ended with ${code}`) }))
  return worker
}
