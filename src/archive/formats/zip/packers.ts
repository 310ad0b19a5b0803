/** Threads that pack runs, started when needed. */
import { Thread } from '../../../threads/index.ts'
import type { PackedRun } from './pack-run.ts'
import type { Run } from './run.ts'
import type { PackerData, PackerHandlers } from './thread.ts'

type Packer = Thread<PackerHandlers>

export class Packers {
  readonly #data: PackerData
  readonly #threads: number
  readonly #packers: Packer[] = []

  constructor(data: PackerData, threads: number) {
    this.#data = data
    this.#threads = threads
  }

  /**
   * @param run - moved to a thread: do not use it afterwards. @throws {FluxError} a thread cannot be started, or has
   *   died
   */
  pack({ buffer, bytes, members }: Run): Promise<PackedRun> {
    const answer = this.#pack(buffer, bytes, members)
    // The writer handles a failure when this run's turn comes. Until then it must not be an unhandled rejection.
    answer.catch(() => {})
    return answer
  }

  /** Stop the threads, even if runs are left. Never throws. */
  async close(): Promise<void> {
    await Promise.all(this.#packers.splice(0).map((packer) => packer.terminate().catch(() => {})))
  }

  async #pack(buffer: Uint8Array<ArrayBuffer>, bytes: number, members: number): Promise<PackedRun> {
    return this.#leastBusy().call('pack', { run: buffer.subarray(0, bytes), members }, [buffer.buffer])
  }

  #leastBusy(): Packer {
    let least: Packer | undefined
    for (const packer of this.#packers) if (!least || packer.pending < least.pending) least = packer
    if (least !== undefined && (least.pending === 0 || this.#packers.length >= this.#threads)) return least
    const packer = new Thread<PackerHandlers>('zip', './thread', import.meta.url, this.#data)
    this.#packers.push(packer)
    return packer
  }
}
