/** The options that select jobs, with the words of `flux jobs`. */
import { Args, Flags, type Interfaces } from '@oclif/core'
import { type JobFilterOptions, RESULT_NAMES, STATE_NAMES } from '../inspect/index.ts'
import { Hostlist, Idset } from '../resource/index.ts'
import { jobidArgument } from './selection.ts'
import { UsageError } from './usage-error.ts'
import type { Users } from './users.ts'
import { parseWhen } from './when.ts'

/** What {@link JobFilterOptions.statuses} takes. */
const STATUSES: ReadonlySet<string> = new Set([...STATE_NAMES, ...RESULT_NAMES])

const GROUP = { helpGroup: 'FILTER' } as const
const LIST = { delimiter: ',', multiple: true, ...GROUP } as const

/** The arguments of commands that select jobs. Such a command takes any number of arguments (`strict = false`). */
export const jobidArgs = {
  jobid: Args.string({ name: 'JOBID', description: 'only these jobs, given by their ids in any form' }),
}

/** The flags of commands that select jobs. Without any of them, all jobs of the snapshot are selected. */
export const jobFlags = {
  all: Flags.boolean({ char: 'a', summary: 'jobs in all states, the default for a snapshot', ...GROUP }),
  'all-users': Flags.boolean({
    char: 'A',
    summary: 'jobs of all users, the default for a snapshot; overrides --user',
    ...GROUP,
  }),
  count: Flags.integer({
    char: 'c',
    summary: 'only N jobs, the first in the order of flux jobs; 0 is no limit (default: 0)',
    description: 'That order is: those that wait, those that started last, those that ended last.',
    helpValue: 'N',
    min: 0,
    ...GROUP,
  }),
  filter: Flags.string({
    char: 'f',
    summary: 'only jobs in one of these states or with one of these results; separate several with commas',
    description: `States are ${STATE_NAMES.join(', ')}; results are ${RESULT_NAMES.join(', ')}. A job whose eventlog is lost is unknown, and in no other state.`,
    helpValue: 'STATE|RESULT',
    ...LIST,
  }),
  since: Flags.string({
    summary: 'only jobs that became inactive after this time, and those that are active',
    description:
      'WHEN is 2026-11-24, 2026-11-24T18:30, now, yesterday, Monday, "3 hours ago", or -6h: a duration before now. It cannot be in the future.',
    helpValue: 'WHEN',
    ...GROUP,
  }),
  before: Flags.string({
    summary: 'only jobs that were submitted before this time',
    helpValue: 'WHEN',
    ...GROUP,
  }),
  name: Flags.string({ summary: 'only jobs with this name', helpValue: 'NAME', ...GROUP }),
  user: Flags.string({
    char: 'u',
    summary: 'only jobs of these users, given by name or number, or all; separate several with commas',
    helpValue: 'USER',
    ...LIST,
  }),
  queue: Flags.string({
    char: 'q',
    summary: 'only jobs in one of these queues; separate several with commas',
    helpValue: 'QUEUE',
    ...LIST,
  }),
  include: Flags.string({
    char: 'i',
    summary: 'only jobs that were allocated one of these hosts or broker ranks: node[1-4], 0-3',
    helpValue: 'HOSTS|RANKS',
    ...GROUP,
  }),
  state: Flags.string({ options: STATE_NAMES, hidden: true, ...LIST }),
  result: Flags.string({ options: RESULT_NAMES, hidden: true, ...LIST }),
}

/** The flags of a command that counts jobs, as `flux jobs` does. */
export const jobCountFlags = {
  stats: Flags.boolean({
    summary: 'first print how many jobs run, have ended and wait: of the whole snapshot, or of the queues of --queue',
    exclusive: ['json'],
    helpGroup: 'OUTPUT',
  }),
  'stats-only': Flags.boolean({
    summary: 'print only that; the exit status is 1 when no job is active',
    exclusive: ['json'],
    helpGroup: 'OUTPUT',
  }),
}

/** {@link jobFlags}, parsed. */
export type JobFlags = Interfaces.InferredFlags<typeof jobFlags>

/** Which jobs the flags and arguments of a command select. */
export interface JobSelection {
  /** The jobs that are named. Then `filter` and `count` select nothing. */
  ids: bigint[] | undefined
  filter: JobFilterOptions
  /** Only so many, the first in the order of `flux jobs`; undefined for all. */
  count: number | undefined
  /** What in the command line has no effect, for a warning; undefined when everything has. */
  ignored: string | undefined
}

/** What {@link jobSelection} needs to know. */
export interface JobSelectionContext {
  users: Pick<Users, 'idOf'>
  /** The current time, in seconds since 1970 (default: now). */
  now?: number
  /** Times without a zone are UTC instead of local. */
  utc?: boolean
}

/**
 * Which jobs the flags and arguments of a command select.
 *
 * @param argv - the arguments: job ids
 * @throws {UsageError} an argument is no job id; a flag has a value that it does not take
 */
export function jobSelection(flags: JobFlags, argv: readonly unknown[], context: JobSelectionContext): JobSelection {
  const ids = argv.length > 0 ? (argv as string[]).map(jobidArgument) : undefined
  const filter = filterOf(flags, context)
  const count = flags.count === 0 ? undefined : flags.count
  if (ids === undefined) {
    const ignored = flags.all && flags.filter ? 'both -a and --filter are given; -a has no effect' : undefined
    return { ids, filter, count, ignored }
  }
  const isFiltered = count !== undefined || Object.values(filter).some((value) => value !== undefined)
  const ignored = isFiltered ? 'jobs are given by their ids; options that filter have no effect' : undefined
  return { ids, filter: {}, count: undefined, ignored }
}

function filterOf(flags: JobFlags, { users, now = Date.now() / 1000, utc }: JobSelectionContext): JobFilterOptions {
  for (const name of flags.filter ?? []) {
    if (STATUSES.has(name.toLowerCase())) continue
    throw new UsageError(`--filter ${name}: neither a state nor a result`, `it is one of ${[...STATUSES].join(', ')}`)
  }
  const since = flags.since === undefined ? undefined : parseWhen(flags.since, 'since', now, utc)
  if (since !== undefined && since > now) throw new UsageError(`--since ${flags.since}: it is in the future`)
  const ofAll = flags['all-users'] || flags.user?.includes('all')
  return {
    userids: ofAll ? undefined : flags.user?.map((user) => users.idOf(user)),
    statuses: flags.filter,
    states: flags.state,
    results: flags.result,
    since,
    before: flags.before === undefined ? undefined : parseWhen(flags.before, 'before', now, utc),
    name: flags.name,
    queues: flags.queue,
    ...(flags.include === undefined ? {} : resourcesOf(flags.include)),
  }
}

/** As `flux jobs`: what is an idset names ranks, anything else hosts. */
function resourcesOf(text: string): Pick<JobFilterOptions, 'ranks' | 'hosts'> {
  const ranks = Idset.parse(text)
  if (ranks) return { ranks }
  const hosts = Hostlist.parse(text)
  if (hosts) return { hosts }
  throw new UsageError(`--include ${text}: neither hosts nor ranks`, 'it looks like node[1-4], or 0-3')
}
