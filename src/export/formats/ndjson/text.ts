/** Each line is the object that `jobs --json` prints for a job, with its whole records as further members. */
import { parseJson, stringifyJson } from '../../../bytes/index.ts'
import { jobJson } from '../../../inspect/index.ts'
import { type ExportJob, eventsOf, wholeRecord } from '../../export-job.ts'
import type { JobsText } from '../format.ts'

export function textOf(): JobsText {
  return { head: '', lineOf }
}

function lineOf(each: ExportJob): string {
  const { job, cluster, username, whole } = each
  const more = {
    ...(cluster === '' ? {} : { cluster }),
    jobspec: parsed(wholeRecord(each, 'jobspec')),
    R: parsed(wholeRecord(each, 'R')),
    ...(whole.has('eventlog')
      ? { eventlog: eventsOf(each).map(({ timestamp, name, context }) => ({ timestamp, name, context })) }
      : {}),
  }
  const members = stringifyJson(more).slice(1)
  const text = jobJson(job, username)
  return members === '}' ? `${text}\n` : `${text.slice(0, -1)},${members}\n`
}

/** The value of a record; its text when it is not JSON. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return parseJson(text)
  } catch {
    return text
  }
}
