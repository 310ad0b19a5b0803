import { printable } from '../errors/index.ts'
import { print } from './output.ts'
import { loadTextWidth, textWidth } from './text-width.ts'

/** A column of a table, whose rows are `Row`s. */
export interface Column<Row> {
  title: string
  /** What stands in it; empty for what is not known, which is shown as a hyphen. */
  text: (row: Row) => string
  /** For numbers. */
  right?: boolean
}

/** Rows from which the widths of the columns are taken. */
const MEASURED = 1000

/**
 * Prints rows as they come: on a terminal in columns under their titles, elsewhere one a line, with tabs between, for
 * other programs. What might move the cursor or end a line is escaped.
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

  /** Print what is waiting. A table without rows has no titles either. */
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
