/**
 * How many requests a dump keeps in flight, so that it is fast when the instance has time and polite when it has not.
 *
 * Everybody's requests to a content store stand in one queue. What a dump keeps in it delays the others by as much as it
 * delays the dump's own requests, so the delay is seen without asking anybody: it is the round-trip time, less what that
 * is when nothing waits. The rule, once a round (some time, and as many responses as there are requests in flight):
 *
 * - while the delay is below its target, try a larger window: twice as large at first, half as large again later;
 * - keep it only if clearly more blobs a second come through than before. If not, go back, and try again some rounds later;
 * - when the delay is above its target, shrink in proportion.
 *
 * It is the idea of LEDBAT (RFC 6817), with requests in the place of bytes. docs/pacing.md has the figures.
 */

/** How many requests may be in flight now. */
export interface Pace {
  readonly limit: number
  /** Responses have come: the round-trip times of some, all received at `nowMs`. */
  record(roundTripMs: number, nowMs: number): void
}

/** `--maxreqs N`. */
export class FixedPace implements Pace {
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  record(): void {
    // What the user asked for does not depend on the times.
  }
}

const LEAST = 4
const MOST = 1024

/** Others may wait this much longer for the dump's sake: less than a person notices, or half of what the way takes. */
const TARGET_MS = 5
const TARGET_SHARE = 0.5

/** A round has this many responses at least and lasts this long, or its figures are chance. */
const ROUND_RESPONSES = 16
const ROUND_MS = 20

/** A larger window must bring this much more through to be kept. */
const WORTHWHILE = 1.05
/** Rounds until one that did not is tried again. */
const PATIENCE = 16

/**
 * How often the window is made small for a round, to see what the way takes when nothing of ours waits: otherwise a dump
 * would come to take its own queue for the way. Ways change, so of these round-trip times only the last few count.
 */
const PROBE_EVERY_MS = 10_000
const PROBES_KEPT = 6

export class AdaptivePace implements Pace {
  #limit = LEAST
  /** When it changed: what was sent before says nothing about it. */
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
  /** The window before it grew, and what came through with it, in responses a millisecond. */
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
    // The median: a pause of ours, or one slow blob, is nobody else's delay.
    const sorted = this.#round.sort((a, b) => a - b)
    this.#endRound(sorted[sorted.length >> 1] as number, nowMs)
    this.#round = []
  }

  /** The round-trip time when nothing waits, as far as it is known. */
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
    // Little's law. Counting what comes in a round says less, since it comes in bursts.
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
