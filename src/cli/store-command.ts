import type { ContentStore } from '../content/index.ts'
import { FluxCommand } from './flux-command.ts'
import { interruptible } from './signals.ts'
import { openSource, type SourceChoice } from './source-choice.ts'

/** A command that works on a whole content store, not on one root of it. */
export abstract class StoreCommand extends FluxCommand {
  // When oclif makes the manifest, it stops at the first parent class without own properties, so they are repeated here.
  static override baseFlags = FluxCommand.baseFlags

  /**
   * Open the store that the flags name, work on it, and close it. SIGINT, SIGTERM, SIGHUP and SIGQUIT abort the second
   * argument of `work`.
   *
   * @param shown - the options of {@link FluxCommand.progress}
   * @throws {UsageError} flags contradict each other
   * @throws {FluxError} the store cannot be opened; `EBUSY` it was changed meanwhile
   * @throws {InterruptedError} a signal has come
   */
  protected async withStore<T>(
    flags: Omit<SourceChoice, 'verify'> & { verify?: boolean },
    work: (store: ContentStore, signal: AbortSignal) => Promise<T>,
    shown: { quiet?: boolean; isWhole?: boolean } = {},
  ): Promise<T> {
    return interruptible(async (signal) => {
      const progress = this.progress(shown)
      await using store = await openSource({
        verify: true,
        ...flags,
        // What the services answer is what is asked for. Elsewhere there is nothing to turn off.
        direct: flags.store === undefined && flags.archive === undefined ? false : undefined,
        signal,
        onWarning: this.complain,
        progress,
      })
      const result = await work(store, signal)
      await store.assertUnchanged()
      return result
    })
  }
}
