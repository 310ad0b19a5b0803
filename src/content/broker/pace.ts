/**
 * Decides how many requests a dump keeps in flight, so that it is fast when the instance is idle and polite when it is
 * busy.
 *
 * All requests to a content store wait in one queue. The dump's requests in it delay those of others as much as the
 * dump's own. So the dump can measure the delay itself: it is the round-trip time minus the round-trip time of an empty
 * queue. The rule, once a round (some time, and as many responses as there are requests in flight):
 *
 * - while the delay is below its target, try a larger window: twice as large at first, half as large again later;
 * - keep it only if clearly more blobs a second arrive than before. If not, go back, and try again some rounds later;
 * - when the delay is above its target, shrink in proportion.
 *
 * The idea is that of LEDBAT (RFC 6817), with requests in place of bytes. docs/pacing.md has the figures.
 */

/** Limits the requests in flight. */
export interface Pace {
  /** How many requests may be in flight now. */
  readonly limit: number
  /** Record the round-trip time of a response received at `nowMs`. */
  record(roundTripMs: number, nowMs: number): void
}

/** A fixed limit: `--maxreqs N`. */
export class FixedPace implements Pace {
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  record(): void {
    // The limit is fixed.
  }
}

/** The bounds of the window, in requests. */
const LEAST = 4
const MOST = 1024

/**
 * How much the dump may delay others: less than a person notices, or half of the base round-trip time, if that is more.
 */
const TARGET_MS = 5
const TARGET_SHARE = 0.5

/** The least responses and duration of a round: with fewer, its figures would be chance. */
const ROUND_RESPONSES = 16
const ROUND_MS = 20

/** A larger window is kept only if the rate grows by this factor. */
const WORTHWHILE = 1.05
/** Rounds to wait before a larger window that was not kept is tried again. */
const PATIENCE = 16

/**
 * How often the window is made small for one round, to measure the round-trip time when none of our requests wait.
 * Without that, a dump would take the delay of its own queue for the base time. The base time can change, so only the
 * last few measurements count.
 */
const PROBE_EVERY_MS = 10_000
const PROBES_KEPT = 6

export class AdaptivePace implements Pace {
  #limit = LEAST
  /** When the limit changed. Requests sent before do not count for the new limit. */
  #changedMs = Number.NEGATIVE_INFINITY
  /** Round-trip times of this round. */
  #round: number[] = []
  #roundBegan = 0
  /** Round-trip times with the smallest window, the newest last. */
  #probes: number[] = []
  #nextProbeMs = 0
  /** The window to come back to after a probe. */
  #resume: number | undefined
  #growth = 2
  /** The window before it grew, and its rate in responses a millisecond. */
  #before: { limit: number; rate: number } | undefined
  #patience = 0

  get limit(): number {
    return this.#limit
  }

  record(roundTripMs: number, nowMs: number): void {
    if (nowMs - roundTripMs < this.#changedMs) return
    if (this.#round.length === 0) this.#roundBegan = nowMs
    this.#round.push(roundTripMs)
    const elapsedMs = nowMs - this.#roundBegan
    if (elapsedMs < ROUND_MS || this.#round.length < Math.max(this.#limit, ROUND_RESPONSES)) return
    // Use the median: a pause of this process, or one slow blob, does not mean that others are delayed.
    const sorted = this.#round.sort((a, b) => a - b)
    this.#endRound(sorted[sorted.length >> 1] as number, nowMs)
    this.#round = []
  }

  /** The base round-trip time, when nothing waits: the least of the last probes. */
  get #baseMs(): number {
    return Math.min(...this.#probes)
  }

  #endRound(medianMs: number, nowMs: number): void {
    if (this.#probes.length === 0 || this.#resume !== undefined) {
      this.#probes.push(medianMs)
      if (this.#probes.length > PROBES_KEPT) this.#probes.shift()
      this.#nextProbeMs = nowMs + PROBE_EVERY_MS
      this.#set(this.#resume ?? this.#limit, nowMs)
      this.#resume = undefined
      return
    }
    if (nowMs >= this.#nextProbeMs) {
      this.#before = undefined
      this.#resume = this.#limit
      this.#set(LEAST, nowMs)
      return
    }
    const delayMs = medianMs - this.#baseMs
    // Little's law. Responses come in bursts, so counting those of a round would be less exact.
    const rate = this.#limit / medianMs
    const targetMs = Math.max(TARGET_MS, this.#baseMs * TARGET_SHARE)
    const before = this.#before
    this.#before = undefined
    if (delayMs > targetMs) {
      this.#growth = 1.5
      this.#set(this.#limit * Math.max(0.5, targetMs / delayMs), nowMs)
    } else if (before && rate < before.rate * WORTHWHILE) {
      this.#growth = 1.5
      this.#patience = PATIENCE
      this.#set(before.limit, nowMs)
    } else if (this.#patience > 0) {
      this.#patience--
    } else {
      this.#before = { limit: this.#limit, rate }
      this.#set(this.#limit * this.#growth, nowMs)
    }
  }

  #set(limit: number, nowMs: number): void {
    const next = Math.max(LEAST, Math.min(MOST, Math.floor(limit)))
    if (next !== this.#limit) this.#changedMs = nowMs
    this.#limit = next
  }
}
