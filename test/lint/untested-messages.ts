/**
 * The messages that no test produces, each with the reason. `messages.test.ts` holds this list: a message that is on it may
 * be expected by no test, and one that is not must be.
 */
export interface UntestedMessage {
  /** Its file, below the root of the project. */
  readonly file: string
  /** What is constant in it, `*` where a value stands. */
  readonly text: string
  /** Why no test produces it. */
  readonly reason: string
}

const MANY_DAMAGES = 'Takes damaged keys that have 32 million components in all.'
const LYING_DISK = 'Takes a disk that does not keep what it has confirmed.'

export const UNTESTED: readonly UntestedMessage[] = [
  {
    file: 'src/commands/fsck.ts',
    text: 'too many damaged keys to repair: * beyond those listed',
    reason: MANY_DAMAGES,
  },
  { file: 'src/rescue/ready-tree.ts', text: '*: too many damaged keys: * beyond those listed', reason: MANY_DAMAGES },
  { file: 'src/rescue/ready-tree.ts', text: 'give another root with --root', reason: MANY_DAMAGES },
  {
    file: 'src/commands/jobs/stats.ts',
    text: 'there are so many jobs that medians and percentiles may be 1% off; all else is exact',
    reason: 'Takes more jobs than are counted exactly, which is millions.',
  },
  {
    file: 'src/content/sqlite/copier.ts',
    text: 'digests are sorted in a temporary file: make room for it, or set SQLITE_TMPDIR to another directory',
    reason: 'Takes a store with more digests than SQLite sorts in memory, which is 780,000.',
  },
  { file: 'src/content/sqlite/writer.ts', text: '*: did not take the checkpoint', reason: LYING_DISK },
  { file: 'src/rescue/rescue.ts', text: '*: * is not whole in it: *', reason: LYING_DISK },
  {
    file: 'src/export/formats/sqlite/writer.ts',
    text: 'another program reads it and does not come to an end; nothing was changed, try again later',
    reason: 'Takes another program that reads the database for a minute.',
  },
  {
    file: 'src/flux/connection.ts',
    text: '*: cannot take what the broker sends',
    reason: 'Takes a machine without memory for a message of an allowed size.',
  },
]
