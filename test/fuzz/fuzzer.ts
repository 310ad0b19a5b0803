/** Runs inputs of one target in this thread, and keeps those that fail or that run something new. */
import { random as generator } from '../../bench/random.ts'
import type { Coverage } from './coverage.ts'
import { checkMeter, OverBudget, startMeter } from './meter.ts'
import { below, mutated, oneOf, type Random } from './mutate.ts'
import { Disagreement, type Target } from './target.ts'

/** An input that did what none may do. */
export interface Find {
  target: string
  /** The error, or what else was wrong, in one line. */
  what: string
  stack: string
  input: Buffer
}

const DEFAULT_MAX_BYTES = 4096
/** Finds of one kind that are kept; the others are counted. */
const MAX_FINDS = 20
/** How often an input is made from one of any length. */
const LONG_SHARE = 0.2
/** Most tries to make a find shorter. */
const MAX_TRIES = 2000

/**
 * What a target makes of some inputs, which run at once and have one budget.
 *
 * @returns undefined when it is allowed for all
 */
export async function problemOf(target: Target, ...inputs: Buffer[]): Promise<Error | undefined> {
  startMeter(target.budgetBytes)
  try {
    const problems =
      inputs.length === 1
        ? [await problemOfOne(target, inputs[0] as Buffer)]
        : await Promise.all(inputs.map((input) => problemOfOne(target, input)))
    checkMeter()
    return problems.find((problem) => problem !== undefined)
  } catch (error) {
    return error as Error
  } finally {
    startMeter(Number.POSITIVE_INFINITY)
  }
}

async function problemOfOne(target: Target, input: Buffer): Promise<Error | undefined> {
  try {
    const running = target.run(Buffer.from(input))
    if (running !== undefined) await running
    return undefined
  } catch (error) {
    const isOurs = error instanceof Disagreement || error instanceof OverBudget
    return isOurs || !target.isExpected(error) ? (error as Error) : undefined
  }
}

/** What tells finds apart: the kind of the error, and where it was thrown. */
function kindOf(error: Error): string {
  const place =
    /\((?:file:\/\/)?[^)]*?\/((?:src|test)\/[^)]*?:\d+):\d+\)|at (?:file:\/\/)?[^ ]*?\/((?:src|test)\/.*?:\d+):/.exec(
      error.stack?.replace(/^.*\/test\/fuzz\/(?:meter|target)\.ts.*$/gm, '') ?? '',
    )
  return `${error.constructor?.name ?? typeof error} at ${place?.[1] ?? place?.[2] ?? String(error)}`
}

export class Fuzzer {
  readonly finds: Find[] = []
  /** Inputs that have run. */
  count = 0
  readonly corpus: Buffer[]
  /** Those of the corpus that this run has added. */
  readonly added: Buffer[] = []
  readonly #target: Target
  readonly #random: Random
  readonly #kinds = new Set<string>()
  readonly #onInput: ((input: Buffer) => void) | undefined

  /** @param onInput - called before each input, so that another thread knows it if it never ends */
  constructor(target: Target, corpus: readonly Buffer[], seed: number, onInput?: (input: Buffer) => void) {
    this.#target = target
    this.#random = generator(seed)
    this.corpus = [...corpus]
    this.#onInput = onInput
  }

  /** The next input. */
  make(): Buffer {
    const { fix, tokens, maxBytes = DEFAULT_MAX_BYTES } = this.#target
    const random = this.#random
    const input = mutated(random, this.#choose(), this.#choose(), tokens, maxBytes)
    if (fix !== undefined && random() < 0.7) fix.call(this.#target, input)
    return input
  }

  /** Any of the corpus, and rather a short one: it takes less time, and more of its bytes matter. */
  #choose(): Buffer {
    const first = this.#chooseAny()
    if (this.#random() < LONG_SHARE) return first
    let shortest = first
    for (let tries = 0; tries < 2; tries++) {
      const other = this.#chooseAny()
      if (other.length < shortest.length) shortest = other
    }
    return shortest
  }

  /** Half of the time one of those found last. */
  #chooseAny(): Buffer {
    const { corpus } = this
    const random = this.#random
    if (random() < 0.5) return oneOf(random, corpus)
    return corpus[corpus.length - 1 - below(random, Math.min(corpus.length, 32))] as Buffer
  }

  /** Run some inputs, as many at once as the target allows. */
  async try(...inputs: Buffer[]): Promise<void> {
    this.count += inputs.length
    const { together = 1 } = this.#target
    for (let at = 0; at < inputs.length; at += together) {
      const some = inputs.slice(at, at + together)
      if ((await this.#withoutStack(some)) === undefined) continue
      for (const input of some) {
        const error = await this.#run(input)
        if (error !== undefined) await this.#keep(input, error)
      }
    }
  }

  /** Run inputs. Most end in an error, whose stack nobody reads, and which would take a good part of the time. */
  async #withoutStack(inputs: Buffer[]): Promise<Error | undefined> {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      return await this.#run(...inputs)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  /** Run a batch of new inputs, and add to the corpus those that run something new. */
  async explore(coverage: Coverage, inputs: readonly Buffer[]): Promise<void> {
    await this.try(...inputs)
    const fresh = coverage.take()
    // Some of them have, but which? They run again, one by one, and the shortest come first.
    for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
      if (fresh.size === 0) return
      await this.#run(input)
      if (!coverage.strike(fresh)) continue
      this.corpus.push(input)
      this.added.push(input)
    }
  }

  #run(...inputs: Buffer[]): Promise<Error | undefined> {
    for (const input of inputs) this.#onInput?.(input)
    return problemOf(this.#target, ...inputs)
  }

  async #keep(input: Buffer, error: Error): Promise<void> {
    const kind = kindOf(error)
    if (this.#kinds.has(kind) || this.finds.length >= MAX_FINDS) return
    this.#kinds.add(kind)
    const least = await this.#minimised(input, kind)
    const { name: target } = this.#target
    const what = `${kind}: ${String(error.message ?? error).slice(0, 300)}`
    this.finds.push({ target, what, stack: error.stack ?? String(error), input: least })
  }

  /** The input without what it does not need to fail in the same way. */
  async #minimised(input: Buffer, kind: string): Promise<Buffer> {
    let least = input
    let tries = 0
    for (let size = least.length >> 1; size > 0 && tries < MAX_TRIES; size >>= 1) {
      for (let at = 0; at < least.length && tries < MAX_TRIES; ) {
        const shorter = Buffer.concat([least.subarray(0, at), least.subarray(at + size)])
        tries++
        const error = await this.#run(shorter)
        if (error !== undefined && kindOf(error) === kind) least = shorter
        else at += size
      }
    }
    return least
  }
}
