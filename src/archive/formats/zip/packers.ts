/** Threads that pack runs. They are started as they are needed. */
import type { Worker } from 'node:worker_threads'
import type { FluxError } from '../../../errors/index.ts'
import { startThread } from '../../../threads/index.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import type { PackedRun } from './pack-run.ts'
import type { Run } from './run.ts'

/** What a thread is started with. */
export interface PackerData {
  attributes: MemberAttributes
  level: number
}

/** What it is sent; it answers with a {@link PackedRun}, in the same order. */
export interface PackerRequest {
  run: Uint8Array
  members: number
}

interface Packer {
  worker: Worker
  /** Who waits for its next answers. */
  waiting: PromiseWithResolvers<PackedRun>[]
}

export class Packers {
  readonly #data: PackerData
  readonly #threads: number
  readonly #packers: Packer[] = []
  #failure: FluxError | undefined

  constructor(data: PackerData, threads: number) {
    this.#data = data
    this.#threads = threads
  }

  /** @param run - given away. @throws {FluxError} a thread cannot be started, or has died */
  pack({ buffer, bytes, members }: Run): Promise<PackedRun> {
    const answer = Promise.withResolvers<PackedRun>()
    // A failure is met when its turn comes, which may be after another one's.
    answer.promise.catch(() => {})
    try {
      if (this.#failure) throw this.#failure
      const { worker, waiting } = this.#leastBusy()
      waiting.push(answer)
      worker.postMessage({ run: buffer.subarray(0, bytes), members } satisfies PackerRequest, [buffer.buffer])
    } catch (error) {
      answer.reject(error)
    }
    return answer.promise
  }

  /** End the threads, whatever they do. Never throws. */
  async close(): Promise<void> {
    await Promise.all(this.#packers.splice(0).map(({ worker }) => worker.terminate().catch(() => {})))
  }

  #leastBusy(): Packer {
    const packer = this.#packers.reduce<Packer | undefined>(
      (a, b) => (a === undefined || b.waiting.length < a.waiting.length ? b : a),
      undefined,
    )
    if (packer !== undefined && (packer.waiting.length === 0 || this.#packers.length >= this.#threads)) return packer
    return this.#start()
  }

  #start(): Packer {
    const waiting: Packer['waiting'] = []
    const worker = startThread<PackedRun>('./thread', import.meta.url, this.#data, (message) => {
      if ('broken' in message) this.#fail(message.broken)
      else waiting.shift()?.resolve(message)
    })
    const packer: Packer = { worker, waiting }
    this.#packers.push(packer)
    return packer
  }

  #fail(error: FluxError): void {
    this.#failure ??= error
    for (const { waiting } of this.#packers) for (const answer of waiting.splice(0)) answer.reject(this.#failure)
  }
}
