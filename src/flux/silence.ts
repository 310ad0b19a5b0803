/**
 * Detects a peer that is silent while a response is awaited: after a while it gives notice, and after a longer while it
 * gives up. Anything that arrives counts as an answer, so a peer that is slow but alive is never given up.
 *
 * It checks at intervals instead of setting a timer for each request. It adds up its intervals and does not read the
 * clock: time in which this process was stopped or busy does not count as silence of the peer.
 */

/** What to do about a peer that is silent. */
export interface SilenceOptions {
  /**
   * Give up with `ETIMEDOUT` when the broker has sent nothing at all for this many milliseconds while a response with
   * the rule `fails` is awaited. Undefined, 0 or Infinity waits for ever.
   */
  silenceTimeoutMs?: number | undefined
  /** Called with one line when the broker has been silent for a while: once, until it sends something again. */
  onSilence?: ((message: string) => void) | undefined
  /** How long until `onSilence` is called, in milliseconds (default 10 s). 0 or Infinity never calls it. */
  silenceNoticeMs?: number | undefined
}

/**
 * What silence means for a request. `fails`: notice, then failure. `told`: notice only. `allowed`: nothing, as for a
 * watch.
 */
export type SilenceRule = 'fails' | 'told' | 'allowed'

/** What is awaited, and what silence means for it. */
export interface Awaited {
  /** The topic, or words for a message. */
  readonly what: string
  readonly rule: SilenceRule
}

const NOTICE_MS = 10_000
/** The interval between checks; shorter where the times are short. */
const LOOK_MS = 1000
/** The least number of checks before a notice or a failure. */
const LOOKS = 5

/** Watches one peer: {@link start} begins a watch, and {@link heard} resets it. */
export class SilenceWatch {
  readonly #name: string
  readonly #timeoutMs: number
  readonly #noticeMs: number
  readonly #lookMs: number
  readonly #onSilence: SilenceOptions['onSilence']
  readonly #awaited: () => Awaited | undefined
  readonly #giveUp: (silentSeconds: number, what: string) => void
  #timer: NodeJS.Timeout | undefined
  #silentMs = 0
  #isTold = false
  #isHeard = false
  /** The rule of what was awaited at the last check. */
  #rule: SilenceRule | undefined

  /**
   * @param name - the name of the peer, for messages
   * @param awaited - returns what is awaited now: the first with the rule `fails`, or else the first with `told`
   * @param giveUp - called once, when the silence has lasted too long
   */
  constructor(
    name: string,
    options: SilenceOptions,
    awaited: () => Awaited | undefined,
    giveUp: (silentSeconds: number, what: string) => void,
  ) {
    const { silenceTimeoutMs = 0, silenceNoticeMs = NOTICE_MS, onSilence } = options
    this.#name = name
    this.#timeoutMs = silenceTimeoutMs > 0 ? silenceTimeoutMs : Number.POSITIVE_INFINITY
    this.#noticeMs = onSilence && silenceNoticeMs > 0 ? silenceNoticeMs : Number.POSITIVE_INFINITY
    // A timer waits for whole milliseconds, and at least one.
    this.#lookMs = Math.max(1, Math.floor(Math.min(LOOK_MS, this.#timeoutMs / LOOKS, this.#noticeMs / LOOKS)))
    this.#onSilence = onSilence
    this.#awaited = awaited
    this.#giveUp = giveUp
  }

  /** Begin to watch. Cheap: it may be called with every request. */
  start(): void {
    if (this.#timer !== undefined || Math.min(this.#timeoutMs, this.#noticeMs) === Number.POSITIVE_INFINITY) return
    this.#silentMs = 0
    this.#isTold = false
    this.#isHeard = false
    this.#rule = undefined
    this.#timer = setInterval(() => this.#look(), this.#lookMs)
    // The timer must not keep the process alive: the socket does that.
    this.#timer.unref()
  }

  /** The peer has sent something. Cheap: it may be called with every chunk. */
  heard(): void {
    this.#isHeard = true
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const awaited = this.#awaited()
    if (awaited === undefined) {
      this.stop()
      return
    }
    const { rule, what } = awaited
    // Silence before the first request with the rule `fails` does not count.
    const isNew = rule === 'fails' && this.#rule !== 'fails'
    this.#rule = rule
    if (this.#isHeard || isNew || rule === 'allowed') {
      this.#isHeard = false
      this.#silentMs = 0
      this.#isTold = false
      return
    }
    this.#silentMs += this.#lookMs
    const seconds = Math.round(this.#silentMs / 100) / 10
    if (rule === 'fails' && this.#silentMs >= this.#timeoutMs) {
      this.stop()
      this.#giveUp(seconds, what)
    } else if (!this.#isTold && this.#silentMs >= this.#noticeMs) {
      this.#isTold = true
      this.#onSilence?.(`${this.#name}: no answer for ${seconds} s; still waiting for ${what}`)
    }
  }
}
