import { printable } from '../errors/index.ts'
import { print } from './output.ts'
import { loadTextWidth, textWidth } from './text-width.ts'

/** A column of a table with rows of type `Row`. */
export interface Column<Row> {
  title: string
  /** The text of the cell; empty if unknown, which is printed as a hyphen. */
  text: (row: Row) => string
  /** Align right, for numbers. */
  right?: boolean
}

/** How many rows are measured for the widths of the columns. */
const MEASURED = 1000

/**
 * Prints rows as they come: on a terminal as a table with titles, elsewhere one row on each line with tabs between the
 * cells, for other programs. Control characters are escaped.
 */
export class Table<Row> {
  readonly #columns: readonly Column<Row>[]
  readonly #forPeople: boolean
  #waiting: string[][] = []
  #widths: number[] | undefined

  /** @param forPeople - default: standard output is a terminal */
  constructor(columns: readonly Column<Row>[], forPeople = process.stdout.isTTY === true) {
    this.#columns = columns
    this.#forPeople = forPeople
  }

  async add(rows: readonly Row[]): Promise<void> {
    const cells = rows.map((row) => this.#columns.map(({ text }) => printable(text(row)) || '-'))
    if (!this.#forPeople) return this.#print(cells.map((line) => `${line.join('\t')}\n`))
    if (this.#widths === undefined) {
      this.#waiting.push(...cells)
      return this.#waiting.length < MEASURED ? undefined : this.end()
    }
    await loadTextWidth(cells.flat())
    return this.#print(cells.map((line) => this.#aligned(line)))
  }

  /** Print the rows that are still waiting. Without any row, the titles are not printed either. */
  async end(): Promise<void> {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    const lines = [this.#columns.map(({ title }) => title), ...waiting]
    await loadTextWidth(lines.flat())
    this.#widths = this.#columns.map((_, i) => Math.max(...lines.map((line) => textWidth(line[i] as string))))
    return this.#print(lines.map((line) => this.#aligned(line)))
  }

  #aligned(cells: readonly string[]): string {
    const padded = cells.map((cell, i) => {
      const fill = ' '.repeat(Math.max(0, (this.#widths?.[i] ?? 0) - textWidth(cell)))
      return this.#columns[i]?.right ? fill + cell : cell + fill
    })
    return `${padded.join('  ').trimEnd()}\n`
  }

  async #print(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await print(lines.join(''))
  }
}
