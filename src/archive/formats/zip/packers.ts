/**
 * Threads that pack runs, started when needed. The memory of runs goes round: without that, the threads would wait for
 * their garbage collection with some ten megabytes each.
 */
import { Thread } from '../../../threads/index.ts'
import { PACKED_BYTES, type PackedRun } from './pack-run.ts'
import { RUN_BYTES, Run } from './run.ts'
import type { PackerData, PackerHandlers } from './thread.ts'

type Packer = Thread<PackerHandlers>

export class Packers {
  readonly #data: PackerData
  #threads: number
  readonly #packers: Packer[] = []
  /** Memory for runs, and for packed runs, that is not in use. */
  readonly #runs: ArrayBuffer[] = []
  readonly #outs: ArrayBuffer[] = []

  constructor(data: PackerData, threads: number) {
    this.#data = data
    this.#threads = threads
  }

  /** A run to fill. */
  newRun(): Run {
    return new Run(this.#runs.pop() ?? new ArrayBuffer(RUN_BYTES))
  }

  /**
   * @param run - moved to a thread: do not use it afterwards
   * @returns the packed run: {@link recycle} it after it has been written
   * @throws {FluxError} a thread cannot be started, or has died
   */
  pack({ buffer, bytes }: Run): Promise<PackedRun> {
    const answer = this.#pack(buffer.subarray(0, bytes))
    // The writer handles a failure when this run's turn comes. Until then it must not be an unhandled rejection.
    answer.catch(() => {})
    return answer
  }

  /** Give back a packed run, whose memory is used again. Do not use it afterwards. */
  recycle({ bytes }: PackedRun): void {
    this.#outs.push(bytes.buffer)
  }

  /** Stop the threads, even if runs are left. Never throws. */
  async close(): Promise<void> {
    await Promise.all(this.#packers.splice(0).map((packer) => packer.terminate().catch(() => {})))
  }

  async #pack(run: Uint8Array<ArrayBuffer>): Promise<PackedRun> {
    const out = this.#outs.pop() ?? new ArrayBuffer(PACKED_BYTES)
    const { spent, ...packed } = await this.#leastBusy().call('pack', { run, out }, [run.buffer, out])
    this.#runs.push(spent)
    return packed
  }

  #leastBusy(): Packer {
    let least: Packer | undefined
    for (const packer of this.#packers) if (!least || packer.pending < least.pending) least = packer
    if (least !== undefined && (least.pending === 0 || this.#packers.length >= this.#threads)) return least
    try {
      const packer = new Thread<PackerHandlers>('zip', './thread', import.meta.url, this.#data)
      this.#packers.push(packer)
      return packer
    } catch (error) {
      // Where a limit leaves no room for another thread, fewer do.
      if (least === undefined) throw error
      this.#threads = this.#packers.length
      return least
    }
  }
}
