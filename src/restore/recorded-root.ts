import { statSync } from 'node:fs'
import { blobrefHash, type HashName } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { nameOfArchive } from './archive-name.ts'

/** A restored archive, whose root is compared with the one that is recorded in it. */
export interface RootComparison {
  readonly infile: string
  /** The root that the archive gives. */
  readonly rootref: string
  /** Read the whole archive once more, for its root by another algorithm; store nothing. */
  readAgain(hash: HashName): Promise<{ readonly isProven: boolean; readonly lost: number }>
  /** Called with an `EBADMSG` when the roots differ. */
  onMismatch: (error: FluxError) => void
  onWarning: (message: string, kind: string) => void
}

/** Compare the two roots. @returns true when they are the same, false when they differ or cannot be compared */
export async function isRecorded(recorded: string, comparison: RootComparison): Promise<boolean> {
  const { infile, rootref, readAgain, onMismatch, onWarning } = comparison
  const hash = blobrefHash(recorded)
  if (hash === blobrefHash(rootref)) {
    if (rootref === recorded) return true
    onMismatch(mismatch(infile, rootref, recorded))
    return false
  }
  if (infile === '-' || !statSync(infile).isFile()) {
    onWarning(`${nameOfArchive(infile)}: a ${hash} root is recorded in it, which was not compared`, 'not compared')
    return false
  }
  const { isProven, lost } = await readAgain(hash)
  if (lost > 0) onMismatch(mismatch(infile, 'another root', recorded))
  return isProven
}

function mismatch(infile: string, rootref: string, recorded: string): FluxError {
  const what = `damaged: it gives ${rootref}, but ${recorded} is recorded in it`
  const hint = 'archive verify names the first key that differs from the source; --salvage restores it as it is'
  return new FluxError('EBADMSG', `${nameOfArchive(infile)}: ${what}`, { hint })
}
