/** What the files that `report` is told of must be: the key for tokens, and the file to write. */
import { closeSync, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs'
import { FluxError } from '../errors/index.ts'
import { UsageError } from './usage-error.ts'

/** Bytes of a key for tokens: a shorter one could be found by trying. */
export const LEAST_KEY = 16

/** The key for tokens in a file. @throws {UsageError} the file cannot be read, or is too short for a key */
export function keyIn(path: string): Uint8Array {
  let key: Uint8Array
  try {
    key = readFileSync(path)
  } catch (error) {
    throw new UsageError(FluxError.fromSystem(error, `cannot read --redact-key ${path}`).message)
  }
  if (key.length >= LEAST_KEY) return key
  throw new UsageError(
    `--redact-key ${path}: a key has at least ${LEAST_KEY} bytes`,
    'make one: head -c 32 /dev/urandom >report.key',
  )
}

/** How a report is recognised. Given by the caller: what makes reports is loaded by their command alone. */
export interface ReportFormat {
  readonly startBytes: number
  /** True when a file that begins with this text is a report. */
  readonly isReport: (start: string) => boolean
}

/**
 * An archive or another file that somebody needs must not be lost by a wrong order of words.
 *
 * @throws {UsageError} the file is there, and is no report
 * @throws {FluxError} it cannot be read
 */
export function refuseOtherThanReport(outfile: string | undefined, format: ReportFormat, hint: string): void {
  if (outfile === undefined || outfile === '-') return
  let stats: Stats | undefined
  try {
    stats = statSync(outfile, { throwIfNoEntry: false })
  } catch {
    // Writing it tells why.
    return
  }
  if (stats?.isDirectory()) throw new UsageError(`cannot write ${outfile}: Is a directory`, hint)
  if (!stats?.isFile() || stats.size === 0) return
  if (format.isReport(startOf(outfile, format.startBytes))) return
  throw new UsageError(`${outfile}: this file is no report, and is not replaced`, hint)
}

function startOf(path: string, bytes: number): string {
  const start = Buffer.alloc(bytes)
  try {
    const file = openSync(path, 'r')
    try {
      return start.toString('latin1', 0, readSync(file, start))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  }
}
