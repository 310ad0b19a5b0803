/** How a report is written as text: its width, its characters, and tables in it. */
import { visible } from '../harmless.ts'

/** Options of {@link reportText}. */
export interface ReportTextOptions {
  /** Columns that a line may have (default 80). */
  width?: number | undefined
  /** Use ASCII only, for terminals and mail without UTF-8. */
  isAscii?: boolean | undefined
  /** The columns that a text takes, without control characters (default: one for each character). */
  widthOf?: ((text: string) => number) | undefined
}

/** A cell of a table: the text, which is aligned right when it is a number. */
export type Cell = string | { readonly right: string }

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const LEVELS = '▁▂▃▄▅▆▇█'
const ASCII_LEVELS = '_.-=+*#@'

/** Narrower than this, a report cannot be read at all. */
const LEAST_WIDTH = 40

/** Collects the lines of a report. No line is longer than its width, and none has control characters. */
export class TextPage {
  readonly lines: string[] = []
  readonly width: number
  readonly isAscii: boolean
  readonly #widthOf: (text: string) => number

  constructor({ width = 80, isAscii = false, widthOf = (text) => [...text].length }: ReportTextOptions) {
    this.width = Math.max(LEAST_WIDTH, width)
    this.isAscii = isAscii
    this.#widthOf = widthOf
  }

  /** Begin a section. */
  heading(title: string): void {
    this.line('')
    this.line(title)
    this.line((this.isAscii ? '=' : '━').repeat(this.#widthOf(title)))
  }

  /** Begin a part of a section. */
  title(text: string): void {
    this.line('')
    this.line(text)
  }

  /** A line, cut at the width. */
  line(text: string): void {
    this.lines.push(this.cut(text, this.width).trimEnd())
  }

  /** A text of several lines, broken between words. @param first - in front of the first line; the others are indented alike */
  paragraph(text: string, first = '  '): void {
    const indent = ' '.repeat(this.#widthOf(first))
    let line = first
    let isEmpty = true
    for (const word of this.plain(text).split(' ')) {
      if (!isEmpty && this.#widthOf(line) + 1 + this.#widthOf(word) > this.width) {
        this.line(line)
        line = indent
        isEmpty = true
      }
      line += isEmpty ? word : ` ${word}`
      isEmpty = false
    }
    this.line(line)
  }

  /**
   * Rows in columns. The widest column of text is cut until all fits.
   *
   * @param titles - of the columns; undefined for none
   */
  table(rows: readonly (readonly Cell[])[], titles?: readonly string[]): void {
    if (rows.length === 0) return
    const cells = rows.map((row) => row.map((cell) => this.plain(typeof cell === 'string' ? cell : cell.right)))
    if (titles) cells.unshift([...titles])
    const [head = []] = rows
    const widths = head.map((_, i) => Math.max(...cells.map((row) => this.#widthOf(row[i] ?? ''))))
    const room = this.width - INDENT.length - GAP.length * (widths.length - 1)
    for (let sum = total(widths); sum > room; sum = total(widths)) {
      const texts = head.map((cell, i) => (typeof cell === 'string' ? (widths[i] as number) : 0))
      const widest = texts.indexOf(Math.max(...texts))
      const least = Math.max(LEAST_CELL, (widths[widest] as number) - (sum - room))
      if (least >= (widths[widest] as number)) break
      widths[widest] = least
    }
    for (const row of cells) {
      const texts = row.map((text, i) => {
        const width = widths[i] as number
        return typeof head[i] === 'string' ? this.padded(text, width) : this.#right(text, width)
      })
      this.line(`${INDENT}${texts.join(GAP)}`)
    }
  }

  /** A text as it is shown: on one line, without control characters. */
  plain(text: string): string {
    const shown = visible(text)
    if (!this.isAscii) return shown
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
    return shown.replaceAll('ƒ', 'f').replace(/[^\x00-\x7f]/gu, '?')
  }

  /** A text cut to a width; a sign marks the cut. */
  cut(text: string, width: number): string {
    const plain = this.plain(text)
    if (this.#widthOf(plain) <= width) return plain
    const mark = this.isAscii ? '+' : '…'
    let cut = ''
    let used = 1
    for (const character of plain) {
      used += this.#widthOf(character)
      if (used > width) break
      cut += character
    }
    return cut + mark
  }

  /** A text that takes a width exactly. */
  padded(text: string, width: number): string {
    const cut = this.cut(text, width)
    return cut + ' '.repeat(Math.max(0, width - this.#widthOf(cut)))
  }

  #right(text: string, width: number): string {
    const cut = this.cut(text, width)
    return ' '.repeat(Math.max(0, width - this.#widthOf(cut))) + cut
  }

  /** A bar. @param part - from 0 to 1 */
  bar(part: number, width: number): string {
    const whole = Math.min(1, Math.max(0, part)) * width
    if (this.isAscii) return '#'.repeat(Math.round(whole))
    const eighths = Math.round(whole * 8)
    return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string)
  }

  /** Numbers as a row of small columns; a dot for those that are not known, a space for 0. @param most - a full column */
  spark(numbers: readonly (number | null)[], most: number): string {
    const levels = this.isAscii ? ASCII_LEVELS : LEVELS
    return numbers
      .map((number) => {
        if (number === null) return this.isAscii ? ':' : '·'
        if (!(number > 0) || !(most > 0)) return ' '
        return levels[Math.min(levels.length - 1, Math.floor((number / most) * levels.length))]
      })
      .join('')
  }
}

const INDENT = '  '
const GAP = '  '
const LEAST_CELL = 6

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
