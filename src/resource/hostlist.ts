/**
 * Lists of host names, and their short text: `node[01-16,20]`. The order is kept, and a name may occur twice.
 *
 * @see RFC 29, "Hostlist Format"
 */

/** Hosts that differ in a number at the end of the name. */
interface HostRange {
  readonly prefix: string
  /** The number has at least this many digits; shorter numbers have zeros in front. */
  readonly width: number
  first: number
  last: number
}

/** A name without a number at its end, or a range. */
type Part = string | HostRange

/** Flux takes a range of more hosts for a mistake. */
const MAX_RANGE = 1 << 20

/** More hosts than any list of a cluster has: a short text must not fill the memory. */
const MAX_HOSTS = 10_000_000

/** Hosts with something behind their brackets are held one by one: so many of one text, and so many characters of them. */
const MAX_NAMES = 1 << 20
const MAX_NAME_CHARS = 1 << 26

const SEPARATORS = /[\t, ]/
/** Numbers of more digits would lose some. */
const MAX_DIGITS = 15
/** More pairs of brackets than any host name has. */
const MAX_BRACKETS = 16
/** Flux takes `3-` for 3. */
const NUMBERS = /^([0-9]+)(?:-([0-9]*))?$/

/** What may still be held one by one of a text. */
interface Room {
  names: number
  chars: number
}

/** A list of host names. It does not change. */
export class Hostlist {
  readonly #parts: readonly Part[]
  /** Names without a number, and ranges by their prefix. Made when they are needed. */
  #index: { names: ReadonlySet<string>; ranges: ReadonlyMap<string, readonly HostRange[]> } | undefined
  /** How many hosts there are. */
  readonly size: number

  private constructor(parts: readonly Part[]) {
    this.#parts = parts
    this.size = parts.reduce((sum, part) => sum + hostsIn(part), 0)
  }

  /**
   * Read a hostlist. Names are separated by commas, spaces or tabs.
   *
   * @returns undefined when the text is not a hostlist
   */
  static parse(text: string): Hostlist | undefined {
    const parts = partsOf(text, { names: MAX_NAMES, chars: MAX_NAME_CHARS })
    const list = parts && new Hostlist(parts)
    return list && list.size <= MAX_HOSTS ? list : undefined
  }

  /** The list of these names. */
  static of(hosts: Iterable<string>): Hostlist {
    const parts: Part[] = []
    for (const host of hosts) append(parts, partOf(host))
    return new Hostlist(parts)
  }

  /** The host at an index; undefined beyond the end. */
  at(index: number): string | undefined {
    let left = index
    for (const part of this.#parts) {
      const size = hostsIn(part)
      if (left < size) return left < 0 ? undefined : typeof part === 'string' ? part : nameIn(part, part.first + left)
      left -= size
    }
    return undefined
  }

  /** True when any host is in both lists. It is fast when `other` is asked many times. */
  intersects(other: Hostlist): boolean {
    const { names, ranges } = other.#indexed()
    return this.#parts.some((part) =>
      typeof part === 'string'
        ? names.has(part)
        : ranges.get(part.prefix)?.some((range) => haveCommonHost(part, range)) === true,
    )
  }

  #indexed() {
    if (this.#index) return this.#index
    const names = new Set<string>()
    const ranges = new Map<string, HostRange[]>()
    for (const part of this.#parts) {
      if (typeof part === 'string') names.add(part)
      else if (!ranges.get(part.prefix)?.push(part)) ranges.set(part.prefix, [part])
    }
    this.#index = { names, ranges }
    return this.#index
  }

  /** The names, in their order. */
  [Symbol.iterator](): Generator<string, void, void> {
    return namesOf(this.#parts)
  }

  /** The short text: neighbours with one prefix share a pair of brackets. */
  toString(): string {
    let text = ''
    for (let i = 0; i < this.#parts.length; ) {
      const part = this.#parts[i] as Part
      if (i > 0) text += ','
      if (typeof part === 'string') {
        text += part
        i++
        continue
      }
      const numbers: string[] = []
      const begin = i
      while (i < this.#parts.length) {
        const next = this.#parts[i] as Part
        if (typeof next === 'string' || next.prefix !== part.prefix) break
        numbers.push(numbersOf(next))
        i++
      }
      const isOne = i - begin === 1 && part.first === part.last
      text += isOne ? `${part.prefix}${numbers[0]}` : `${part.prefix}[${numbers.join(',')}]`
    }
    return text
  }
}

function hostsIn(part: Part): number {
  return typeof part === 'string' ? 1 : part.last - part.first + 1
}

function* namesOf(parts: readonly Part[]): Generator<string, void, void> {
  for (const part of parts) {
    if (typeof part === 'string') yield part
    else for (let number = part.first; number <= part.last; number++) yield nameIn(part, number)
  }
}

/** The parts of a hostlist; undefined when the text is none, or stands for too much. */
function partsOf(text: string, room: Room): Part[] | undefined {
  const parts: Part[] = []
  for (const token of tokensOf(text)) {
    const open = token.indexOf('[')
    if (open < 0) {
      if (token.includes(']')) return undefined
      append(parts, partOf(token))
      continue
    }
    const close = token.indexOf(']', open)
    if (token.lastIndexOf(']', open) >= 0 || bracketsIn(token) > MAX_BRACKETS) return undefined
    const ranges = close < 0 ? undefined : rangesOf(token.slice(0, open), token.slice(open + 1, close))
    if (ranges === undefined) return undefined
    if (close === token.length - 1) for (const range of ranges) append(parts, range)
    else if (!appendAll(parts, ranges, token.slice(close + 1), room)) return undefined
  }
  return parts
}

/** Split at separators outside of brackets. */
function* tokensOf(text: string): Generator<string> {
  let from = 0
  let level = 0
  for (let at = 0; at <= text.length; at++) {
    const char = text[at]
    if (char === '[') level++
    else if (char === ']') level--
    else if (char === undefined || (level === 0 && SEPARATORS.test(char))) {
      if (at > from) yield text.slice(from, at)
      from = at + 1
    }
  }
}

function partOf(host: string): Part {
  // A regular expression for the digits at the end takes a time that grows with the square of the length.
  let start = host.length
  while (start > 0 && isDigit(host.charCodeAt(start - 1))) start--
  const width = host.length - start
  if (width === 0 || width > MAX_DIGITS) return host
  const number = Number(host.slice(start))
  return { prefix: host.slice(0, start), width, first: number, last: number }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function bracketsIn(token: string): number {
  let count = 0
  for (let at = token.indexOf('['); at >= 0; at = token.indexOf('[', at + 1)) count++
  return count
}

/** The ranges between a pair of brackets; undefined when there is anything else. */
function rangesOf(prefix: string, text: string): HostRange[] | undefined {
  const ranges: HostRange[] = []
  for (const part of text.split(',')) {
    const [, from, to] = NUMBERS.exec(part) ?? []
    if (from === undefined || from.length > MAX_DIGITS || (to ?? '').length > MAX_DIGITS) return undefined
    const [first, last] = [Number(from), Number(to || from)]
    if (last < first || last - first >= MAX_RANGE) return undefined
    ranges.push({ prefix, width: from.length, first, last })
  }
  return ranges
}

/**
 * Append names that go on after the brackets, perhaps with further brackets.
 *
 * @returns false when the rest is not a hostlist, or when there is no room for so much
 */
function appendAll(parts: Part[], ranges: readonly HostRange[], rest: string, room: Room): boolean {
  const ends = rest.includes('[') || rest.includes(']') ? partsOf(rest, room) : [rest]
  if (ends === undefined) return false
  const numbers = ranges.reduce((sum, range) => sum + hostsIn(range), 0)
  room.names -= numbers * ends.reduce((sum, end) => sum + hostsIn(end), 0)
  if (room.names < 0) return false
  const tails = [...namesOf(ends)]
  const prefix = ranges[0]?.prefix ?? ''
  for (const tail of tails) room.chars -= numbers * (prefix.length + MAX_DIGITS + tail.length)
  if (room.chars < 0) return false
  for (const range of ranges) {
    for (let number = range.first; number <= range.last; number++) {
      for (const tail of tails) append(parts, partOf(`${nameIn(range, number)}${tail}`))
    }
  }
  return true
}

/** Append a part, joined with the last one when it goes on from there. */
function append(parts: Part[], part: Part): void {
  const before = parts.at(-1)
  if (typeof part !== 'string' && typeof before === 'object' && before.prefix === part.prefix) {
    if (before.last === part.first - 1 && haveOneWidth(before, part)) {
      before.last = part.last
      return
    }
  }
  parts.push(typeof part === 'string' ? part : { ...part })
}

/** True when the numbers of `part` have the same digits when they are written with the width of `before`. */
function haveOneWidth(before: HostRange, part: HostRange): boolean {
  return [part.first, part.last].every((number) => digits(number, before.width) === digits(number, part.width))
}

/** True when a name is in both ranges, which have one prefix. `n01` and `n1` are different hosts. */
function haveCommonHost(a: HostRange, b: HostRange): boolean {
  const last = Math.min(a.last, b.last)
  if (Math.max(a.first, b.first) > last) return false
  // Beyond that many digits, no number has zeros in front.
  return a.width === b.width || String(last).length >= Math.max(a.width, b.width)
}

function digits(number: number, width: number): string {
  return String(number).padStart(width, '0')
}

function nameIn({ prefix, width }: HostRange, number: number): string {
  return `${prefix}${digits(number, width)}`
}

function numbersOf({ first, last, width }: HostRange): string {
  return first === last ? digits(first, width) : `${digits(first, width)}-${digits(last, width)}`
}
