/** Threads that pack runs. They are started as they are needed. */
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

  /** @param run - given away. @throws {FluxError} a thread cannot be started, or has died */
  pack({ buffer, bytes, members }: Run): Promise<PackedRun> {
    const answer = this.#pack(buffer, bytes, members)
    // A failure is met when its turn comes, which may be after another one's.
    answer.catch(() => {})
    return answer
  }

  /** End the threads, whatever they do. Never throws. */
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
