import type { ContentStore } from '../content/index.ts'
import { FluxCommand } from './flux-command.ts'
import { interruptible } from './signals.ts'
import { openSource, type SourceChoice } from './source-choice.ts'

/** A command over a content store as a whole, not over one root of it. */
export abstract class StoreCommand extends FluxCommand {
  // When oclif makes the manifest, it looks no further up than a class that has nothing of its own.
  static override baseFlags = FluxCommand.baseFlags

  /**
   * Open the store that the flags name, work on it, and close it. The first signal aborts the second argument of `work`.
   *
   * @param shown - how progress is shown: as {@link FluxCommand.progress} takes it
   * @throws {UsageError} flags that do not go together; {FluxError} it cannot be opened, or `EBUSY` it was changed
   *   meanwhile; {InterruptedError} by a signal
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
        // What the services answer is what is asked for. Beside a store on disk there is nothing to turn off.
        direct: flags.store === undefined ? false : undefined,
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
