import { printable } from '../../errors/index.ts'
import type { EventlogEntry } from '../../kvs/index.ts'
import { compactJson, jsonMembers } from '../json-text.ts'

/** How an {@link EventlogFormatter} writes events. */
export interface EventlogFormat {
  /** Print events as RFC 18 stores them: one JSON object on each line. */
  unformatted?: boolean | undefined
  /** Print day and minute when the minute changes, otherwise seconds since then. */
  human?: boolean | undefined
  color?: boolean | undefined
  /** For a terminal: escape control characters in text that users wrote. */
  printable?: boolean | undefined
}

const RESET = '\x1b[0m'
const COLOR = {
  time: '\x1b[32m',
  timeBreak: '\x1b[1m\x1b[32m',
  name: '\x1b[33m',
  exception: '\x1b[1m\x1b[31m',
  key: '\x1b[34m',
  value: '\x1b[35m',
  number: '\x1b[37m',
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Formats events, as `flux kvs eventlog get` and `flux job eventlog` do. Call it in the order of the events: with
 * `human`, times are relative to earlier events.
 *
 * @see flux-core `src/common/libeventlog/formatter.c`
 */
export class EventlogFormatter {
  readonly #format: EventlogFormat
  #minute = ''
  #minuteSeconds = 0

  constructor(format: EventlogFormat = {}) {
    this.#format = format
  }

  /** An event as a line, with its newline. */
  line(entry: EventlogEntry): string {
    const { text, name, context } = entry
    if (this.#format.unformatted) return `${this.#shown(compactJson(text))}\n`
    let line = `${this.#time(entry.timestamp)} ${this.#paint(name === 'exception' ? COLOR.exception : COLOR.name, name)}`
    if (context !== undefined) {
      for (const [key, value] of jsonMembers(jsonMembers(text).get('context') ?? '{}')) {
        const color = /^[-\d]/.test(value) ? COLOR.number : COLOR.value
        line += ` ${this.#paint(COLOR.key, key)}=${this.#paint(color, value)}`
      }
    }
    return `${line}\n`
  }

  #time(seconds: number): string {
    if (!this.#format.human) return this.#paint(COLOR.time, seconds.toFixed(6))
    const date = new Date(seconds * 1000)
    const day = `${MONTHS[date.getMonth()]}${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
    const minute = `${date.getFullYear()} ${day}`
    if (minute === this.#minute) {
      const offset = seconds - this.#minuteSeconds
      const text = `${offset < 0 ? '' : '+'}${offset.toFixed(6)}`.padStart(11)
      return this.#paint(COLOR.time, `[${text}]`)
    }
    this.#minute = minute
    this.#minuteSeconds = seconds
    return this.#paint(COLOR.timeBreak, `[${day}]`)
  }

  #paint(color: string, text: string): string {
    const shown = this.#shown(text)
    return this.#format.color ? `${color}${shown}${RESET}` : shown
  }

  #shown(text: string): string {
    return this.#format.printable ? printable(text) : text
  }
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
