/** The columns of `flux content checkpoint list`. @see flux-core `src/cmd/builtin/content.c` */
import type { Checkpoint } from '../content/index.ts'

export const CHECKPOINT_HEADER = row('Index', 'Sequence', 'Time', 'Rootref')

/** A checkpoint in columns. @param index - 0 is the newest */
export function checkpointLine(checkpoint: Checkpoint, index: number): string {
  return row(String(index), String(checkpoint.sequence), `${checkpointTime(checkpoint)}Z`, checkpoint.rootref)
}

/** The time of a checkpoint, UTC, to the second. */
export function checkpointTime({ timestamp }: Checkpoint): string {
  return new Date(Math.floor(timestamp) * 1000).toISOString().slice(0, 19)
}

function row(index: string, sequence: string, time: string, rootref: string): string {
  return `${index.padEnd(10)} ${sequence.padEnd(10)} ${time.padEnd(20)} ${rootref}`
}
