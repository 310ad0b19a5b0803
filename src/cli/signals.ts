import { InterruptedError, ignoredSignals } from '../errors/index.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Run something that an interrupt stops in good order: the first signal aborts it, a second one kills as ever.
 * A signal that was ignored when the process was started stays ignored.
 *
 * @throws {InterruptedError} whatever `work` threw, once a signal has come
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const heard = SIGNALS.filter((name) => !ignoredSignals().has(name))
  const onSignal = (name: NodeJS.Signals) => {
    release()
    controller.abort(new InterruptedError(`interrupted by ${name}`))
  }
  const release = () => {
    for (const name of heard) process.off(name, onSignal)
  }
  for (const name of heard) process.on(name, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    release()
  }
}
