/** Guesses from the names in a directory what it is the root of. */

/**
 * What a directory that nothing refers to seems to be: the root of the primary namespace; the root of a job's guest
 * namespace; the directory of one job; directories of jobs, as `job` and those below it hold them; the directory
 * `resource`; an empty directory; or none of these.
 */
export type RootKind = 'primary' | 'guest' | 'job' | 'jobs' | 'resource' | 'empty' | 'other'

/** All kinds, those that hold most first. */
export const ROOT_KINDS: readonly RootKind[] = ['primary', 'guest', 'job', 'jobs', 'resource', 'other', 'empty']

/** Names that tell a directory's kind, each with its bit. */
export const NAME = {
  job: 1,
  resource: 2,
  admin: 4,
  checkpoint: 8,
  'job-exec': 16,
  exec: 32,
  input: 64,
  output: 128,
  eventlog: 256,
  jobspec: 512,
  J: 1024,
  R: 2048,
} as const

/** Bits of names that are no single name: four hex digits, a part of a job id; any other name. */
export const HEX_NAME = 4096
export const OTHER_NAME = 8192

const NAMES = new Map<string, number>(Object.entries(NAME))

const PRIMARY = NAME.job | NAME.resource | NAME.admin | NAME.checkpoint | NAME['job-exec']
const JOB = NAME.eventlog | NAME.jobspec | NAME.J
const GUEST = NAME.exec | NAME.input | NAME.output
const RESOURCE = NAME.eventlog | NAME.R

/** The bit of a name. */
export function nameBit(name: string): number {
  return NAMES.get(name) ?? (/^[0-9a-f]{4}$/.test(name) ? HEX_NAME : OTHER_NAME)
}

/** True for the directory of a job: its eventlog, and what the user submitted. */
export function isJobDir(names: number): boolean {
  return (names & NAME.eventlog) !== 0 && (names & (NAME.jobspec | NAME.J)) !== 0
}

/**
 * Guess the kind of a directory.
 *
 * @param names - the bits of all its names, as {@link nameBit} gives them
 * @returns the kind, and the names that it is guessed by
 */
export function guessKind(names: number): { kind: RootKind; guessedBy: string[] } {
  const by = (kind: RootKind, bits: number) => ({
    kind,
    guessedBy: [...NAMES].flatMap(([name, bit]) => ((names & bits & bit) === 0 ? [] : [name])),
  })
  if (names === 0) return by('empty', 0)
  if (isJobDir(names)) return by('job', JOB)
  if ((names & PRIMARY) !== 0) return by('primary', PRIMARY)
  if ((names & NAME.exec) !== 0 || (names & GUEST) === (NAME.input | NAME.output)) return by('guest', GUEST)
  if (names === HEX_NAME) return by('jobs', 0)
  return (names & RESOURCE) === RESOURCE ? by('resource', RESOURCE) : by('other', 0)
}
