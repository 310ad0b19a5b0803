/** Formats checkpoints as `flux content checkpoint list` does. @see flux-core `src/cmd/builtin/content.c` */

import type { Checkpoint } from '../content/index.ts'
import { isoTime } from '../errors/index.ts'

const TITLES = ['Index', 'Sequence', 'Time', 'Rootref']
/** Widths of all columns but the last, as in the C tool. */
const WIDTHS = [10, 10, 20]
/** Digits of a digest that are shown when the terminal has no room for all. */
const SHORT_DIGITS = 8

export interface CheckpointListOptions {
  /** Print a line of titles first. */
  header: boolean
  /** Width of the terminal in columns; undefined or 0: no limit. */
  width?: number | undefined
}

/**
 * Checkpoints in columns, as the C tool prints them. Its lines have 88 columns. On a narrower terminal, each column is
 * only as wide as its widest cell; if that is still too wide, rootrefs are cut short.
 *
 * @param checkpoints - newest first
 * @returns lines, without newlines
 */
export function checkpointList(checkpoints: readonly Checkpoint[], { header, width }: CheckpointListOptions): string[] {
  const rows = checkpoints.map((checkpoint, index) => [
    String(index),
    String(checkpoint.sequence),
    `${checkpointTime(checkpoint)}Z`,
    checkpoint.rootref,
  ])
  if (header) rows.unshift(TITLES)
  const full = rows.map((cells) => line(cells, WIDTHS, ' '))
  const fits = (lines: readonly string[]) => !width || lines.every(({ length }) => length <= width)
  if (fits(full)) return full
  const widths = WIDTHS.map((_, i) => Math.max(...rows.map((cells) => (cells[i] as string).length)))
  const narrow = rows.map((cells) => line(cells, widths, '  '))
  if (fits(narrow)) return narrow
  return rows.map((cells) => line([...cells.slice(0, -1), short(cells.at(-1) as string)], widths, '  '))
}

/** A checkpoint as `--json` prints it. @param checkpointIndex - 0 is the newest */
export function checkpointJson({ rootref, sequence, timestamp }: Checkpoint, checkpointIndex: number): object {
  return { checkpointIndex, rootref, sequence, timestamp, time: isoTime(timestamp) }
}

/** The time of a checkpoint, UTC, to the second. */
export function checkpointTime({ timestamp }: Checkpoint): string {
  return new Date(Math.floor(timestamp) * 1000).toISOString().slice(0, 19)
}

function line(cells: readonly string[], widths: readonly number[], gap: string): string {
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(gap)
}

function short(rootref: string): string {
  const digits = rootref.indexOf('-') + 1
  return digits === 0 ? rootref : `${rootref.slice(0, digits + SHORT_DIGITS)}…`
}
