/** Shows the summary of a job: a fact on each line. */
import { countText, durationText, messageLine, startOf, type TimeStyle, timeText } from '../../errors/index.ts'
import { type JobSummary, jobStatus } from '../../inspect/index.ts'
import { formatJobid } from '../../kvs/index.ts'

/** Longer commands are cut off: the jobspec has the whole. */
const COMMAND_LENGTH = 200

/**
 * The lines of a summary; facts that are not known are left out.
 *
 * @param style - how to write times
 * @param nameOf - the name of a user; undefined if unknown
 */
export function summaryLines(
  { job, command, waitSeconds, runSeconds, end }: JobSummary,
  style: TimeStyle,
  nameOf: (userid: number) => string | undefined,
): string[] {
  const { id, userid, nnodes, ntasks, ncores, nodelist, ranks, duration, problems } = job
  const time = (seconds: number | undefined, more?: string) =>
    seconds === undefined ? undefined : timeText(seconds, style) + (more === undefined ? '' : `, ${more}`)
  const count = (number: number | undefined, noun: string) => (number === undefined ? [] : [countText(number, noun)])
  const size = [...count(nnodes, 'node'), ...count(ntasks, 'task'), ...count(ncores, 'core')]
  const waited = waitSeconds === undefined ? undefined : `after waiting ${spanText(waitSeconds)}`
  const ran = runSeconds === undefined ? undefined : `after running ${spanText(runSeconds)}`
  const facts: [name: string, text: string | undefined][] = [
    ['job', `${formatJobid(id)} (${id})`],
    ['name', job.name],
    ['command', command && commandText(command)],
    ['size', size.join(', ')],
    ['user', userid === undefined ? undefined : (nameOf(userid) ?? String(userid))],
    ['bank', job.bank],
    ['project', job.project],
    ['queue', job.queue],
    ['directory', job.cwd],
    ['nodes', nodelist ?? (ranks === undefined ? undefined : '')],
    ['ranks', ranks],
    ['limit', duration ? spanText(duration) : undefined],
    ['submitted', time(job.t_submit)],
    ['started', time(job.t_run, waited)],
    ['ended', time(job.t_cleanup ?? job.t_inactive, job.t_run === undefined ? waited : ran)],
    ['problems', problems.map(({ message }) => message).join('; ')],
    [jobStatus(job), end.reason],
  ]
  return facts
    .filter(([, text]) => text)
    .map(([name, text]) => `${`${name}:`.padEnd(12)}${messageLine(text as string)}`)
}

/** Seconds with a tenth while a tenth matters. */
function spanText(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : durationText(seconds)
}

/** The words of a command as a shell takes them. */
function commandText(words: readonly string[]): string {
  const text = words
    .map((word) => (/^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
  return text.length > COMMAND_LENGTH ? `${startOf(text, COMMAND_LENGTH)}...` : text
}
