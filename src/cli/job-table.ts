import { cutLine, type JobRows, type Row, type RowMark } from '../inspect/index.ts'
import type { JobFormatChoice } from './job-format-flags.ts'
import { Output } from './output.ts'
import { loadTextWidth, textWidth } from './text-width.ts'

/** The colours of flux jobs. */
const COLORS: Readonly<Record<RowMark, string>> = {
  '': '',
  COMPLETED: '\x1b[01;32m',
  FAILED: '\x1b[01;31m',
  CANCELED: '\x1b[37m',
  TIMEOUT: '\x1b[01;31m',
  instance: '\x1b[01;34m',
}
const PLAIN = '\x1b[0;0m'

/** Rows whose widths are looked at together. */
const BATCH = 1000

/**
 * Print a table of jobs as flux jobs does. On a terminal lines are cut at its width, unless `--width` says something
 * else.
 */
export async function printJobTable(rows: JobRows, choice: JobFormatChoice): Promise<void> {
  const output = new Output()
  const isColored = usesColor(choice.color)
  const print = async (batch: readonly Row[]): Promise<void> => {
    const cut = await cutterOf(choice.width, batch)
    for (const { text, mark } of batch) {
      const color = isColored ? COLORS[mark] : ''
      // The colour ends after the line, as that of flux jobs does.
      if (output.append(`${color}${cut(text)}\n${color === '' ? '' : PLAIN}`)) await output.flush()
    }
  }
  if (!choice['no-header']) await print([{ text: rows.header(), mark: '' }])
  let batch: Row[] = []
  for (const row of rows.rows()) {
    batch.push(row)
    if (batch.length < BATCH) continue
    await print(batch)
    batch = []
  }
  await print(batch)
  await output.flush()
}

/** NO_COLOR turns colours off unless `--color` is given. @see https://no-color.org */
function usesColor(when: string | undefined): boolean {
  if (when === 'always') return true
  if (when === 'never' || (when === undefined && process.env.NO_COLOR)) return false
  return process.stdout.isTTY === true
}

/** A function that cuts lines. @param asked - `--width` */
async function cutterOf(asked: number | undefined, rows: readonly Row[]): Promise<(text: string) => string> {
  if (asked !== undefined && asked !== 0) return asked < 0 ? same : (text) => cutLine(text, asked)
  // A terminal that does not know its size, such as a serial console, says that it has 0 columns.
  const columns = process.stdout.isTTY ? process.stdout.columns : 0
  if (!columns) return same
  await loadTextWidth(rows.map(({ text }) => text))
  return (text) => (textWidth(text) <= columns ? text : cutAt(text, columns))
}

function same(text: string): string {
  return text
}

/** Some characters take two columns on a terminal, and some take none. */
function cutAt(text: string, columns: number): string {
  let cut = ''
  let width = 0
  for (const character of text) {
    width += textWidth(character)
    if (width > columns - 1) break
    cut += character
  }
  return `${cut}+`
}
