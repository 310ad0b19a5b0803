/** Threads that run a file of this room. */
import { Worker } from 'node:worker_threads'

/** What is received, last of all, of a thread that ended by itself. */
export interface Broken {
  broken: string
}

/**
 * Start a thread.
 *
 * @param file - a neighbour of the caller's, without its extension: `./thread`, as source or built
 * @param from - the caller's `import.meta.url`
 * @param receive - takes the thread's messages
 */
export function startThread<Message>(
  file: string,
  from: string,
  workerData: unknown,
  receive: (message: Message | Broken) => void,
): Worker {
  const worker = new Worker(new URL(file + (from.endsWith('.ts') ? '.ts' : '.js'), from), { workerData, execArgv: [] })
  worker.on('message', receive)
  worker.on('error', (error) => receive({ broken: error.message }))
  worker.on('exit', (code) => receive({ broken: `the thread ended with ${code}` }))
  return worker
}
