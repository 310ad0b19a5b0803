/**
 * The rows of a table of jobs. All of them must be known before the first is printed: some columns are as wide as their
 * longest value, and Flux has an order of its own. So the texts are kept as bytes: they take a tenth of the memory of
 * the jobs.
 */
import { grown } from '../../../bytes/index.ts'
import { stringAt } from '../../json.ts'
import type { Job } from '../job.ts'
import { jobPhase, PHASES, rankInPhase } from '../job-order.ts'
import { firstOf, lengthOf } from './format-text.ts'
import type { AdaptingPart, JobFormat } from './job-format.ts'
import { compareSortable, type Sortable } from './sort-keys.ts'

/** What the colour of a row shows: the result of a job, or that it is an instance of Flux. */
export const ROW_MARKS = ['', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMEOUT', 'instance'] as const
/** One of {@link ROW_MARKS}. */
export type RowMark = (typeof ROW_MARKS)[number]

/** A row that is ready to be printed. */
export interface Row {
  readonly text: string
  readonly mark: RowMark
}

/** Options of {@link JobRows}. */
export interface RowOptions {
  /** Keep the jobs in this order, instead of that of `flux jobs`. */
  ids?: readonly bigint[] | undefined
}

/** Stands between the fixed parts of a row. No argument of a command holds a NUL, and in values it is escaped. */
const SEPARATOR = '\0'
/** Bytes in one piece of the texts. */
const PIECE = 1 << 20

/** Collects jobs, and then gives their rows. */
export class JobRows {
  readonly #format: JobFormat
  readonly #columns: { part: AdaptingPart; values: unknown[]; width: number; isEmpty: boolean }[]
  readonly #places: ReadonlyMap<bigint, number> | undefined
  readonly #keys: Sortable[][]
  #count = 0
  #pieces: Buffer[] = []
  #piece = Buffer.alloc(0)
  #used = 0
  /** Of each row: in which piece its text begins, and where; then its mark and its place in the order. */
  #pieceOf = new Uint32Array(64)
  #startOf = new Uint32Array(64)
  #lengthOf = new Uint32Array(64)
  #marks = new Uint8Array(64)
  #phases = new Uint8Array(64)
  #ranks = new Float64Array(64)
  #ids = new BigUint64Array(64)

  constructor(format: JobFormat, { ids }: RowOptions = {}) {
    this.#format = format
    this.#columns = format.adapting.map((part) => ({ part, values: [], width: part.width, isEmpty: true }))
    this.#keys = format.sortKeys.map(() => [])
    this.#places = ids && new Map(ids.map((id, place) => [id, place]))
  }

  /** Add a job. */
  add(job: Job): void {
    const { fixed, sortKeys } = this.#format
    let text = ''
    for (let i = 0; i < fixed.length; i++)
      text += (i === 0 ? '' : SEPARATOR) + (fixed[i] as { text(job: Job): string }).text(job)
    for (const column of this.#columns) {
      const value = column.part.value(job)
      column.values.push(value)
      const length = lengthOf(column.part.measured(value))
      if (length > 0) column.isEmpty = false
      if (length > column.width) column.width = length
    }
    for (let i = 0; i < sortKeys.length; i++) this.#keys[i]?.push(sortKeys[i]?.value(job))
    this.#keep(text)
    const row = this.#count++
    this.#ids[row] = job.id
    this.#marks[row] = ROW_MARKS.indexOf(markOf(job))
    const place = this.#places?.get(job.id)
    this.#phases[row] = place === undefined ? PHASES.indexOf(jobPhase(job)) : 0
    this.#ranks[row] = place === undefined ? rankInPhase(job) : -place
  }

  #keep(text: string): void {
    const row = this.#count
    this.#pieceOf = grown(this.#pieceOf, row + 1)
    this.#startOf = grown(this.#startOf, row + 1)
    this.#lengthOf = grown(this.#lengthOf, row + 1)
    this.#marks = grown(this.#marks, row + 1)
    this.#phases = grown(this.#phases, row + 1)
    this.#ranks = grown(this.#ranks, row + 1)
    this.#ids = grown(this.#ids, row + 1)
    // A character takes at most three bytes for each of its UTF-16 halves.
    if (this.#pieces.length === 0 || this.#used + text.length * 3 > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(PIECE, text.length * 3))
      this.#pieces.push(this.#piece)
      this.#used = 0
    }
    const length = this.#piece.write(text, this.#used)
    this.#pieceOf[row] = this.#pieces.length - 1
    this.#startOf[row] = this.#used
    this.#lengthOf[row] = length
    this.#used += length
  }

  /** The number of jobs that were added. */
  get count(): number {
    return this.#count
  }

  /** The line of headings. */
  header(): string {
    let text = this.#format.fixed[0]?.heading ?? ''
    this.#columns.forEach((column, i) => {
      if (!isRemoved(column)) text += column.part.text + column.part.heading(column.width)
      text += this.#format.fixed[i + 1]?.heading ?? ''
    })
    return text
  }

  /** The rows, in their order, without those that are blank. */
  *rows(): Generator<Row, void, void> {
    const formats = this.#columns.map((column) => column.part.format(column.width))
    const removed = this.#columns.map(isRemoved)
    for (const row of this.#order()) {
      const start = this.#startOf[row] as number
      const piece = this.#pieces[this.#pieceOf[row] as number] as Buffer
      const fixed = piece.toString('utf8', start, start + (this.#lengthOf[row] as number))
      let text = fixed
      if (formats.length > 0) {
        const texts = fixed.split(SEPARATOR)
        text = texts[0] as string
        for (let i = 0; i < formats.length; i++) {
          const { part, values } = this.#columns[i] as { part: AdaptingPart; values: unknown[] }
          if (!removed[i]) text += part.text + (formats[i] as (value: unknown) => string)(values[row])
          text += texts[i + 1]
        }
      }
      if (!/^\s*$/.test(text)) yield { text, mark: ROW_MARKS[this.#marks[row] as number] as RowMark }
    }
  }

  /** The numbers of the rows, in the order in which they are printed. */
  #order(): Uint32Array {
    const order = new Uint32Array(this.#count)
    for (let row = 0; row < this.#count; row++) order[row] = row
    const keys = this.#format.sortKeys.map(({ isReversed }, i) => ({ isReversed, values: this.#keys[i] as Sortable[] }))
    return order.sort((a, b) => {
      for (const { isReversed, values } of keys) {
        const difference = compareSortable(values[a], values[b])
        if (difference !== 0) return isReversed ? -difference : difference
      }
      return this.#compare(a, b)
    })
  }

  /** In the order of `flux jobs`, or of the ids that were asked for. */
  #compare(a: number, b: number): number {
    const phase = this.#phases[a] as number
    const difference = phase - (this.#phases[b] as number) || (this.#ranks[b] as number) - (this.#ranks[a] as number)
    if (difference !== 0) return difference
    const [idA, idB] = [this.#ids[a] as bigint, this.#ids[b] as bigint]
    const older = idA < idB ? -1 : idA > idB ? 1 : 0
    return PHASES[phase] === 'pending' ? older : -older
  }
}

function isRemoved({ part, isEmpty }: { part: AdaptingPart; isEmpty: boolean }): boolean {
  return isEmpty && part.adapting !== 'widen'
}

function markOf({ result, annotations }: Job): RowMark {
  return result ?? (stringAt(annotations, 'user', 'uri') ? 'instance' : '')
}

/** A line in a width: what does not fit is cut, and a plus sign marks the cut. */
export function cutLine(text: string, width: number): string {
  return lengthOf(text) > width ? `${firstOf(text, width - 1)}+` : text
}
