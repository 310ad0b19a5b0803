/** Medians and percentiles of many numbers, in bounded memory. */
import { grown, release } from '../../../bytes/index.ts'

/** Values that a {@link SampleBudget} lets all its samples keep: 32 MB of them. */
const BUDGET = 2 ** 22

/** A sample with fewer values than this keeps them, whatever the budget says: buckets would need no less memory. */
const FEW = 512

/** Buckets grow by 2 % from one to the next, so that the middle of one is at most 1 % off any value in it. */
const GROWTH = Math.log(1.02)
/** Values below it are in the first bucket, and count as 0. In seconds: a millisecond. */
const SMALLEST = 0.001
/** Up to 2e9 seconds. */
const BUCKETS = 1432

/** Counts the values that several samples keep together. */
export class SampleBudget {
  #left: number

  /** @param values - how many may be kept */
  constructor(values = BUDGET) {
    this.#left = values
  }

  /** @returns false when there is no room for so many more */
  take(values: number): boolean {
    if (values > this.#left) return false
    this.#left -= values
    return true
  }

  /** Give room back that was taken. */
  give(values: number): void {
    this.#left += values
  }
}

/**
 * Numbers that are not negative. Percentiles are exact as long as the budget lets the sample keep all values; after
 * that they are at most 1 % off.
 */
export class Sample {
  /** The sum of all values. */
  sum = 0
  count = 0
  #values = new Float64Array(4)
  #isSorted = true
  #buckets: Uint32Array | undefined
  readonly #budget: SampleBudget

  constructor(budget = new SampleBudget()) {
    this.#budget = budget
  }

  get isExact(): boolean {
    return this.#buckets === undefined
  }

  /** Add a value that is not negative. */
  add(value: number): void {
    this.sum += value
    if (this.#buckets === undefined && this.count === this.#values.length) this.#grow()
    if (this.#buckets) count(this.#buckets, value)
    else this.#values[this.count] = value
    this.count++
    this.#isSorted = false
  }

  /**
   * A percentile. Between two values it is interpolated linearly, as `quantile_cont` of SQL and numpy do.
   *
   * @param part - 0.5 for the median
   * @returns undefined without any value
   */
  quantile(part: number): number | undefined {
    if (this.count === 0) return undefined
    const at = part * (this.count - 1)
    const below = this.#at(Math.floor(at))
    const above = this.#at(Math.ceil(at))
    return below + (above - below) * (at - Math.floor(at))
  }

  /**
   * How many values lie between each bound and the next: at least the one, and less than the other. Values beyond the
   * bounds are not counted.
   *
   * @param bounds - ascending
   */
  countsBetween(bounds: readonly number[]): number[] {
    const ranks = bounds.map((bound) => this.#rankOf(bound))
    return ranks.slice(1).map((rank, i) => rank - (ranks[i] as number))
  }

  /** How many values are less than a bound. */
  #rankOf(bound: number): number {
    let [low, high] = [0, this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#at(middle) < bound) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The value at an index of the ascending order. */
  #at(index: number): number {
    if (this.#buckets) return valueAt(this.#buckets, index)
    if (!this.#isSorted) this.#values.subarray(0, this.count).sort()
    this.#isSorted = true
    return this.#values[index] as number
  }

  /** Release the memory at once. Only {@link sum} and {@link count} may be read from then on. */
  release(): void {
    release(this.#values)
  }

  #grow(): void {
    const size = this.#values.length
    const isFree = size < FEW
    if (isFree || this.#budget.take(size)) {
      // A small array lies in the heap, where a copy is faster.
      if (isFree) {
        const values = new Float64Array(size * 2)
        values.set(this.#values)
        this.#values = values
      } else this.#values = grown(this.#values, size + 1)
      return
    }
    this.#buckets = new Uint32Array(BUCKETS)
    for (const value of this.#values) count(this.#buckets, value)
    if (size > FEW) this.#budget.give(size - FEW)
    release(this.#values)
    this.#values = new Float64Array(0)
  }
}

function count(buckets: Uint32Array, value: number): void {
  const bucket = value < SMALLEST ? 0 : 1 + Math.floor(Math.log(value / SMALLEST) / GROWTH)
  const index = Math.min(bucket, buckets.length - 1)
  buckets[index] = (buckets[index] as number) + 1
}

function valueAt(buckets: Uint32Array, index: number): number {
  let bucket = -1
  for (let left = index; left >= 0; ) left -= buckets[++bucket] as number
  return bucket === 0 ? 0 : SMALLEST * Math.exp((bucket - 0.5) * GROWTH)
}
