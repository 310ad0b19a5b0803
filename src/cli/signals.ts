import { InterruptedError, ignoredSignals } from '../errors/index.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/**
 * Run work that stops in good order on SIGINT, SIGTERM, SIGHUP or SIGQUIT: the first signal aborts it, a second one kills
 * the process. A signal that was ignored when the process started stays ignored.
 *
 * @throws {InterruptedError} `work` failed after a signal, with whatever error
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const signals = SIGNALS.filter((name) => !ignoredSignals().has(name))
  const onSignal = (name: NodeJS.Signals) => {
    release()
    controller.abort(new InterruptedError(`interrupted by ${name}`))
  }
  const release = () => {
    for (const name of signals) process.off(name, onSignal)
  }
  for (const name of signals) process.on(name, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    release()
  }
}
