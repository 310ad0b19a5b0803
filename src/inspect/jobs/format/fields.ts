/**
 * The fields of `flux jobs -o` that a snapshot can tell.
 *
 * @see flux-jobs(1), "OUTPUT FORMAT"; flux-core `src/bindings/python/flux/job/info.py`
 */
import { FluxError, printable } from '../../../errors/index.ts'
import { formatJobid, JOBID_FORMS, type JobidForm } from '../../../kvs/index.ts'
import { memberAt, numberAt, stringAt } from '../../json.ts'
import { type Job, type JobRecords, jobReturncode, jobStatus } from '../job.ts'
import { annotationAt, annotationPath } from './annotations.ts'
import type { FormatContext } from './context.ts'
import { durationFsd } from './conversions.ts'
import {
  inactiveReason,
  remainingAt,
  resultEmoji,
  resultLetters,
  runtimeAt,
  stateEmoji,
  stateLetter,
  statusEmoji,
  statusLetters,
} from './job-state.ts'
import { formatError } from './parse.ts'
import { isInCalendar, timeFormatter } from './time-format.ts'

/**
 * What type a field has in Python: it decides how the field is aligned and which conversions it takes. `any` is a part of
 * the annotations.
 */
export type FieldKind = 'text' | 'whole' | 'float' | 'truth' | 'id' | 'list' | 'any'

/** A field. */
export interface Field {
  readonly name: string
  readonly heading: string
  readonly kind: FieldKind
  /** The value for a job, of the field's kind. A text that is empty stands for a value that the job does not have. */
  value(job: Job): unknown
}

type Get = (job: Job, context: FormatContext) => unknown
type Definition = readonly [heading: string, kind: FieldKind, get: Get]

/** A text that users choose. It stays on one line. */
const free = (text: string | undefined) => (text === undefined ? '' : printable(text))

const FIELDS: Readonly<Record<string, Definition>> = {
  id: ['JOBID', 'id', ({ id }) => id],
  ...Object.fromEntries(JOBID_FORMS.map((form) => [`id.${form}`, ['JOBID', 'text', idIn(form)] as const])),
  userid: ['UID', 'whole', ({ userid = '' }) => userid],
  username: ['USER', 'text', ({ userid }, { nameOf }) => (userid === undefined ? '' : nameOf(userid))],
  urgency: ['URG', 'whole', ({ urgency = '' }) => urgency],
  priority: ['PRI', 'whole', ({ priority = '' }) => priority],
  state: ['STATE', 'text', ({ state }) => state],
  state_single: ['S', 'text', stateLetter],
  state_emoji: ['STATE', 'text', stateEmoji],
  name: ['NAME', 'text', ({ name }) => free(name)],
  cwd: ['CWD', 'text', ({ cwd }) => free(cwd)],
  queue: ['QUEUE', 'text', ({ queue }) => free(queue)],
  project: ['PROJECT', 'text', ({ project }) => free(project)],
  bank: ['BANK', 'text', ({ bank }) => free(bank)],
  ntasks: ['NTASKS', 'whole', ({ ntasks = '' }) => ntasks],
  ncores: ['NCORES', 'whole', ({ ncores = '' }) => ncores],
  duration: ['DURATION', 'float', ({ duration = 0 }) => duration],
  nnodes: ['NNODES', 'whole', ({ nnodes = '' }) => nnodes],
  expiration: ['EXPIRATION', 'float', ({ expiration = 0 }) => expiration],
  t_remaining: ['T_REMAINING', 'float', (job, { now }) => remainingAt(job, now)],
  ranks: ['RANKS', 'text', ({ ranks = '' }) => ranks],
  nodelist: ['NODELIST', 'text', ({ nodelist }) => free(nodelist)],
  success: ['SUCCESS', 'truth', ({ success = '' }) => success],
  result: ['RESULT', 'text', ({ result = '' }) => result],
  result_abbrev: ['RS', 'text', resultLetters],
  result_emoji: ['RESULT', 'text', resultEmoji],
  t_submit: ['T_SUBMIT', 'float', ({ t_submit = 0 }) => t_submit],
  t_depend: ['T_DEPEND', 'float', ({ t_depend = 0 }) => t_depend],
  t_priority: ['T_PRIORITY', 'float', ({ t_priority = 0 }) => t_priority],
  t_sched: ['T_SCHED', 'float', ({ t_sched = 0 }) => t_sched],
  t_run: ['T_RUN', 'float', ({ t_run = 0 }) => t_run],
  t_cleanup: ['T_CLEANUP', 'float', ({ t_cleanup = 0 }) => t_cleanup],
  t_inactive: ['T_INACTIVE', 'float', ({ t_inactive = 0 }) => t_inactive],
  runtime: ['RUNTIME', 'float', (job, { now }) => runtimeAt(job, now)],
  status: ['STATUS', 'text', jobStatus],
  status_abbrev: ['ST', 'text', statusLetters],
  status_emoji: ['STATUS', 'text', statusEmoji],
  waitstatus: ['WSTATUS', 'whole', ({ waitstatus = '' }) => waitstatus],
  returncode: ['RC', 'whole', (job) => jobReturncode(job) ?? ''],
  'exception.occurred': ['EXCEPTION-OCCURRED', 'truth', exceptionOccurred],
  'exception.severity': ['EXCEPTION-SEVERITY', 'whole', ({ exception }) => exception?.severity ?? ''],
  'exception.type': ['EXCEPTION-TYPE', 'text', ({ exception }) => free(exception?.type)],
  'exception.note': ['EXCEPTION-NOTE', 'text', ({ exception }) => free(exception?.note)],
  annotations: ['ANNOTATIONS', 'any', ({ annotations }) => annotations],
  dependencies: ['DEPENDENCIES', 'list', dependencyTexts],
  contextual_info: ['INFO', 'text', contextualInfo],
  contextual_time: ['TIME', 'float', contextualTime],
  inactive_reason: ['INACTIVE-REASON', 'text', (job) => free(inactiveReason(job))],
  sched: ['SCHED', 'any', ({ annotations }) => memberAt(annotations, 'sched')],
  'sched.resource_summary': [
    'RESOURCES',
    'any',
    ({ annotations }) => memberAt(annotations, 'sched', 'resource_summary'),
  ],
  'annotations.sched.resource_summary': [
    'RESOURCES',
    'any',
    ({ annotations }) => memberAt(annotations, 'sched', 'resource_summary'),
  ],
  user: ['USER', 'any', ({ annotations }) => memberAt(annotations, 'user')],
  // Python writes None for a job that is no instance.
  uri: ['URI', 'any', ({ annotations }) => stringAt(annotations, 'user', 'uri') || null],
  'uri.local': ['URI', 'text', localUri],
}

type JobRecordName = keyof JobRecords

/** The records besides the eventlog that tell a field. Those that are not here need the eventlog alone. */
const RECORDS: ReadonlyMap<string, readonly JobRecordName[]> = new Map<string, readonly JobRecordName[]>([
  ...['name', 'cwd', 'queue', 'project', 'bank', 'duration', 'contextual_time'].map(
    (name) => [name, ['jobspec']] as const,
  ),
  ...['ntasks', 'ncores', 'nnodes'].map((name) => [name, ['jobspec', 'R']] as const),
  ...['ranks', 'nodelist', 'expiration', 't_remaining', 'contextual_info'].map((name) => [name, ['R']] as const),
])

/** The records that tell a field. The state, which gives a job its place in the table, needs the eventlog. */
export function recordsOf(field: string): readonly JobRecordName[] {
  return ['eventlog', ...(RECORDS.get(field) ?? [])]
}

/** Fields that only the instance knows, and why. */
const UNTOLD: readonly [name: RegExp, reason: string][] = [
  [/^(?:annotations\.)?sched\.(?:t_estimate|reason_pending)$/, 'the scheduler keeps it in memory'],
  [/^instance\./, 'only the running instance of the job tells it'],
]

/** All names, for suggestions. */
export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS)

/**
 * The field of a name.
 *
 * @throws {FluxError} `EINVAL` there is no such field, or a snapshot does not hold it
 */
export function fieldOf(name: string, context: FormatContext): Field {
  const known = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
  if (known !== undefined) {
    const [heading, kind, get] = context.idForm === undefined ? known : inForm(name, known, context.idForm)
    return { name, heading, kind, value: (job) => get(job, context) }
  }
  for (const [untold, reason] of UNTOLD) {
    if (untold.test(name)) throw formatError(`${name}: a snapshot does not hold this field`, reason)
  }
  const path = annotationPath(name)
  if (path === undefined) throw new UnknownFieldError(name)
  const heading = (name.startsWith('annotations.') ? name.slice('annotations.'.length) : name).toUpperCase()
  return { name, heading, kind: 'any', value: ({ annotations }) => annotationAt(annotations, path) }
}

function inForm(name: string, known: Definition, form: JobidForm): Definition {
  return name === 'id' || name === 'id.f58' ? [known[0], 'text', idIn(form)] : known
}

function idIn(form: JobidForm): Get {
  return ({ id }) => formatJobid(id, form)
}

function exceptionOccurred({ state, exception }: Job): boolean | '' {
  return state === 'INACTIVE' ? exception !== undefined : ''
}

function localUri({ annotations }: Job): string {
  const uri = stringAt(annotations, 'user', 'uri')
  const [, path] = /^ssh:\/\/[^/]*(.*)$/.exec(uri ?? '') ?? []
  return free(path === undefined ? uri : `local://${path.replace(/\/+/g, '/')}`)
}

function contextualTime(job: Job, { now }: FormatContext): number {
  const isWaiting = job.state === 'PRIORITY' || job.state === 'DEPEND' || job.state === 'SCHED'
  return isWaiting ? (job.duration ?? 0) : runtimeAt(job, now)
}

function contextualInfo(job: Job, context: FormatContext): string {
  switch (job.state) {
    case 'PRIORITY':
      return 'priority-wait'
    case 'DEPEND':
      return `depends:${dependencyTexts(job, context).join(',')}`
    case 'SCHED':
      return waitingInfo(job, context)
    default:
      return free(job.nodelist)
  }
}

function waitingInfo({ annotations, urgency, priority }: Job, { now }: FormatContext): string {
  const estimate = numberAt(annotations, 'sched', 't_estimate')
  if (estimate !== undefined) return `eta:${estimate < now ? 'now' : durationFsd(estimate - now)}`
  if (urgency === 0) return 'held'
  return priority === 0 ? 'priority-hold' : ''
}

const BEGIN_TIME = 'begin-time='

/** The dependencies, with the time in the form that people read. */
function dependencyTexts({ dependencies }: Job, context: FormatContext): string[] {
  return dependencies.map((dependency) => {
    const seconds = Number(dependency.slice(BEGIN_TIME.length))
    if (!dependency.startsWith(BEGIN_TIME) || !isInCalendar(seconds)) return free(dependency)
    const text = (format: string, time = seconds) => timeFormatter(format, context)(time)
    const isToday = text('%F') === text('%F', context.now)
    return `begin@${text(isToday ? '%H:%M' : '%b%d-%H:%M')}${text('%S') === '00' ? '' : text(':%S')}`
  })
}

/** A field that does not exist. */
export class UnknownFieldError extends FluxError {
  readonly field: string

  constructor(field: string) {
    super('EINVAL', `${field}: no such field`)
    this.field = field
  }
}
