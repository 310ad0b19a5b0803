/** Takes the environment out of the records of a job: environment variables often hold passwords and tokens. */
import { parseJson, stringifyJson } from '../bytes/index.ts'
import type { JobRecords } from '../inspect/index.ts'

/** Where the environment is, in a jobspec and in the events that change a jobspec. @see RFC 14, RFC 21 */
const PATH = ['attributes', 'system', 'environment'] as const

type Members = Record<string, unknown>

/** The records without the environment. What cannot be read, so that it may hold one, is left out. */
export function withoutEnvironment(
  { jobspec, eventlog, R }: JobRecords,
  whole: ReadonlySet<keyof JobRecords>,
): JobRecords {
  return {
    // Only a jobspec that is exported whole is worth the time.
    jobspec: jobspec === undefined || !whole.has('jobspec') ? undefined : fromJobspec(jobspec),
    eventlog: eventlog === undefined ? undefined : fromEventlog(eventlog),
    R,
  }
}

function fromJobspec(text: string): string | undefined {
  const jobspec = membersOf(text)
  if (jobspec === undefined) return undefined
  return remove(jobspec, PATH) ? stringifyJson(jobspec) : text
}

function fromEventlog(text: string): string {
  if (!text.includes('environment')) return text
  const lines = text.split('\n').map((line) => (line.includes('environment') ? fromEvent(line) : line))
  return lines.filter((line) => line !== undefined).join('\n')
}

function fromEvent(line: string): string | undefined {
  const event = membersOf(line)
  if (event === undefined) return undefined
  if (event.name !== 'jobspec-update' || !isMembers(event.context)) return line
  // The members of this event are dotted paths into the jobspec, each with a new value.
  for (const [path, value] of Object.entries(event.context)) {
    const keys = path.split('.')
    const isAbove = keys.every((key, i) => i >= PATH.length || key === PATH[i])
    if (!isAbove) continue
    if (keys.length >= PATH.length) delete event.context[path]
    else if (isMembers(value)) remove(value, PATH.slice(keys.length))
  }
  return stringifyJson(event)
}

/** @returns true when there was such a member */
function remove(members: Members, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || !Object.hasOwn(members, key)) return false
  if (rest.length === 0) return delete members[key]
  const value = members[key]
  return isMembers(value) && remove(value, rest)
}

function membersOf(text: string): Members | undefined {
  try {
    const value = parseJson(text)
    return isMembers(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
