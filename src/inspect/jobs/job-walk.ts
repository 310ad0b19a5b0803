/** Reads the records of jobs: one walk loads only those that are wanted, and keeps at most one batch in memory. */
import type { ContentStore } from '../../content/index.ts'
import {
  type Dir,
  type DirObj,
  type Entry,
  jobKey,
  keyOf,
  parseJobid,
  type TreeError,
  type WalkFilter,
  walk,
} from '../../kvs/index.ts'
import { type JobProblem, type JobRecords, jobProblem } from './job.ts'

/** The names of the records that tell about a job. */
export type RecordName = keyof JobRecords

/** The records of a job that were read. */
export interface Gathered {
  readonly id: bigint
  readonly records: JobRecords
  /** What could not be read. */
  readonly problems: JobProblem[]
}

/** What {@link gatherJobs} reads. */
export interface GatherOptions {
  records: ReadonlySet<RecordName>
  /** Read only these jobs. Those that do not exist are left out. */
  ids?: Iterable<bigint> | undefined
  /** Read only the first and the last blob of the eventlog. Flux writes each event as a blob. */
  ends?: boolean
  /** Called for each directory that cannot be read and may have held jobs. */
  onFault: (error: TreeError) => void
  signal?: AbortSignal | undefined
}

/** Components in the key of a job's directory: `job`, and four times four hexadecimal digits. */
const JOB_DEPTH = 5

/** What to do about a tree in which the same directories stand for too many jobs. No flag of these commands allows more. */
export const TOO_MANY_JOBS = 'fsck and du read each directory once, and tell more about it'

const FOUR_DIGITS = /^[0-9a-f]{4}$/

/**
 * Read the records of jobs, highest id first.
 *
 * @param root - a root directory that holds `job`
 * @yields batches of jobs, which may be empty
 */
export async function* gatherJobs(
  store: ContentStore,
  root: DirObj,
  { records, ids, ends = false, onFault: report, signal }: GatherOptions,
): AsyncGenerator<Gathered[], void, void> {
  const wanted = ids && new JobDirs(ids)
  const filter: WalkFilter = {
    takes: (dir, name) => dir.depth === JOB_DEPTH && records.has(name as RecordName),
    enters(dir, name) {
      if (dir.depth === 0) return name === 'job'
      return dir.depth < JOB_DEPTH && FOUR_DIGITS.test(name) && wanted?.has(dir, name) !== false
    },
    byDepth: wanted === undefined,
    ...(ends ? { takesEnds: (_dir: Dir, name: string) => name === 'eventlog' } : {}),
  }
  const gathering: Gathered[] = []
  const begin = (key: string): Gathered => {
    const job = { id: parseJobid(key), records: {}, problems: [] }
    gathering.push(job)
    return job
  }
  const onFault = (error: TreeError) => {
    const components = error.key.split('.')
    // Faults come in the order of the walk, so that of a record belongs to the directory entered last.
    const problem = (record: JobProblem['record']) => jobProblem(record, error.faultKind, error.reason)
    if (components.length === JOB_DEPTH) begin(error.key).problems.push(problem('directory'))
    else if (components.length > JOB_DEPTH)
      gathering.at(-1)?.problems.push(problem(components.at(-1) as keyof JobRecords))
    else report(error)
  }
  const onDir = (dir: Dir) => {
    if (dir.depth === JOB_DEPTH) dir.derived = begin(keyOf(dir.parent, dir.name))
  }
  const options = { filter, reverse: true, onDir, onFault, limitHint: TOO_MANY_JOBS, signal }
  for await (const batch of walk(store, root, options)) {
    for (const entry of batch) {
      const streamed = take(entry)
      if (streamed) await streamed
    }
    // The next batch may hold more records of the last job.
    yield gathering.splice(0, gathering.length - 1)
  }
  yield gathering
}

/** @returns a promise when the value is too large to be held, which records hardly ever are */
function take(entry: Entry): Promise<void> | undefined {
  const { records, problems } = entry.dir.derived as Gathered
  const name = entry.name as RecordName
  if (entry.type === 'symlink') {
    problems.push(jobProblem(name, 'a symbolic link'))
    return undefined
  }
  if (entry.stream) {
    return readStream(entry.stream()).then((text) => {
      records[name] = text
    })
  }
  records[name] = textOf(entry.parts ?? [])
  return undefined
}

async function readStream(pieces: AsyncIterable<readonly Uint8Array[]>): Promise<string> {
  const parts: Uint8Array[] = []
  // The views of one piece are valid only until the next piece is requested, so they are copied.
  for await (const piece of pieces) parts.push(Buffer.concat(piece))
  return textOf(parts)
}

function textOf(parts: readonly Uint8Array[]): string {
  const [only] = parts
  const bytes =
    parts.length === 1 && only ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(parts)
  return bytes.toString()
}

/** The directories on the way to some jobs, by the components of their keys. */
class JobDirs {
  readonly #top: DirNames = new Map()

  constructor(ids: Iterable<bigint>) {
    for (const id of ids) {
      let level = this.#top
      for (const component of jobKey(id).split('.').slice(1)) {
        let next = level.get(component)
        if (next === undefined) level.set(component, (next = new Map()))
        level = next
      }
    }
  }

  /** True when `name` in `dir`, a directory below `job` or `job` itself, is on the way to one of the jobs. */
  has(dir: Dir, name: string): boolean {
    return this.#namesIn(dir)?.has(name) === true
  }

  #namesIn(dir: Dir): DirNames | undefined {
    return dir.depth === 1 || dir.parent === undefined ? this.#top : this.#namesIn(dir.parent)?.get(dir.name)
  }
}

type DirNames = Map<string, DirNames>
