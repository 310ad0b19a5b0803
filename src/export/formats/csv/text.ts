/**
 * Comma-separated values.
 *
 * @see RFC 4180
 */
import { csvLine } from '../../../bytes/index.ts'
import { type Cell, COLUMNS } from '../../columns.ts'
import type { ExportTarget, JobsText } from '../format.ts'

/** One line a job. Columns of whole records are there only if these are wanted. */
export function textOf({ hasRecords }: Pick<ExportTarget, 'hasRecords'>): JobsText {
  const columns = COLUMNS.filter(({ name, isRecord }) => !isRecord || hasRecords(name as 'R'))
  return {
    head: csvLine(columns.map(({ name }) => name)),
    lineOf: (job) => csvLine(columns.map((column) => text(column.of(job)))),
  }
}

function text(cell: Cell): string {
  if (cell === undefined) return ''
  return Array.isArray(cell) ? JSON.stringify(cell) : String(cell)
}
