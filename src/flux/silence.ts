/**
 * Watches that a peer is not silent while somebody waits for it: after a while it says so, and after a longer while it gives
 * up. Anything that comes counts as an answer, so that one who is slow, but alive, is never given up.
 *
 * It looks now and then instead of setting a timer for each request. And it counts its looks, not the clock: time in which
 * this process was itself stopped, or busy, is nobody's silence.
 */

/** What to do about a peer that is silent. */
export interface SilenceOptions {
  /**
   * Give up with `ETIMEDOUT` when the broker has sent nothing at all for so many milliseconds, while a response is awaited
   * that should come soon. Undefined, 0 or Infinity waits for ever.
   */
  silenceTimeoutMs?: number | undefined
  /** Called when the broker has been silent for a while: once, until it sends something again. One line. */
  onSilence?: ((message: string) => void) | undefined
  /** How long until `onSilence` is called, in milliseconds (default 10 s). */
  silenceNoticeMs?: number | undefined
}

/** What silence means for a request: it fails in the end; it is told, and no more; nothing at all, as for a watch. */
export type SilenceRule = 'fails' | 'told' | 'allowed'

/** Who waits, as far as silence matters. */
export interface Awaited {
  /** In words, or by topic. */
  readonly what: string
  readonly rule: SilenceRule
}

const NOTICE_MS = 10_000
/** It looks this often, or more often where the times are short. */
const LOOK_MS = 1000
const LOOKS = 5

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
  /** Of what was waited for at the last look. */
  #rule: SilenceRule | undefined

  /**
   * @param name - of the peer, for messages
   * @param awaited - what is waited for at this time: the first that fails, else the first that is told
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
    this.#noticeMs = onSilence ? silenceNoticeMs : Number.POSITIVE_INFINITY
    this.#lookMs = Math.min(LOOK_MS, this.#timeoutMs / LOOKS, this.#noticeMs / LOOKS)
    this.#onSilence = onSilence
    this.#awaited = awaited
    this.#giveUp = giveUp
  }

  /** Somebody waits from now on. Cheap: it may be called with every request. */
  start(): void {
    if (this.#timer !== undefined || Math.min(this.#timeoutMs, this.#noticeMs) === Number.POSITIVE_INFINITY) return
    this.#silentMs = 0
    this.#isTold = false
    this.#isHeard = false
    this.#rule = undefined
    this.#timer = setInterval(() => this.#look(), this.#lookMs)
    // What waits keeps the process alive, or it is not to be.
    this.#timer.unref()
  }

  /** Something came. Cheap: it may be called with every chunk. */
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
    // What was silent before it was asked for anything that should come soon does not count.
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
