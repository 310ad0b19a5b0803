/** What happened to an instance: starts and ends, drains, checkpoints. */
import type { Checkpoint } from '../content/index.ts'
import { countText, startOf } from '../errors/index.ts'
import type { ResourceEvent } from '../inspect/index.ts'
import type { EventlogEntry } from '../kvs/index.ts'
import { Hostlist, Idset } from '../resource/index.ts'
import type { InstanceRecords } from './instance.ts'
import type { Names } from './names.ts'
import type { ReportEvents } from './report-data.ts'

/** Events in a list: the newest. */
const LISTED = 500

/** Names of nodes in the text of an event. */
const MOST_NAMES = 1000

type Event = ReportEvents['list'][number]

/** The newest events, and how many there are of each kind in all. */
export interface GatheredEvents {
  readonly events: ReportEvents
  readonly counts: ReadonlyMap<string, number>
}

export function gatherEvents(
  { starts, history }: InstanceRecords,
  checkpoints: readonly Checkpoint[],
  names: Names,
): GatheredEvents {
  const all = [
    ...startEvents(starts, names),
    ...history.events.map((event) => resourceEvent(event, names)),
    ...checkpoints.filter(({ timestamp }) => timestamp > 0).map(checkpointEvent),
  ]
  // Events of equal time stay in their order.
  all.sort((a, b) => a.timestamp - b.timestamp)
  const counts = new Map<string, number>()
  for (const { kind } of all) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return { events: { list: all.slice(-LISTED), left: Math.max(0, all.length - LISTED) }, counts }
}

/**
 * Starts and shutdowns. A start after another one, with no shutdown between, tells that the instance had ended without one.
 *
 * @see flux-core `src/cmd/builtin/startlog.c`
 */
function startEvents(starts: readonly EventlogEntry[], names: Names): Event[] {
  const events: Event[] = []
  let isUp = false
  for (const { timestamp, name, context } of starts) {
    const version = context?.core_version
    const of = typeof version === 'string' ? `, Flux ${names.version(version)}` : ''
    if (name === 'start') {
      if (isUp) events.push({ timestamp, kind: 'crash', text: 'the run before ended without a shutdown' })
      events.push({ timestamp, kind: 'start', text: `the instance started${of}` })
      isUp = true
    } else if (name === 'finish') {
      events.push({ timestamp, kind: 'shutdown', text: 'the instance was shut down' })
      isUp = false
    }
  }
  return events
}

/** The usual words for the events of the resource module. */
const KINDS: Readonly<Record<string, string>> = {
  online: 'up',
  offline: 'down',
  'resource-init': 'restart',
  'resource-define': 'resources',
  'resource-update': 'resources',
}

function resourceEvent({ timestamp, name, ranks, hosts, reason }: ResourceEvent, names: Names): Event {
  const said = KINDS[name] ?? startOf(name, 40)
  const kind = names.redacted && !KNOWN.has(said) ? 'other' : said
  const who = nodesText(ranks, hosts, names)
  const why = reason === undefined ? '' : `: ${names.reason(reason)}`
  return { timestamp, kind, text: `${WORDS[kind] ?? kind}${who}${why}` }
}

const WORDS: Readonly<Record<string, string>> = {
  drain: 'drained',
  undrain: 'no longer drained',
  up: 'came up',
  down: 'went down',
  restart: 'the instance started again',
  resources: 'the resources were set',
  torpid: 'did not answer',
  lively: 'answered again',
  truncate: 'older events were dropped',
}

const KNOWN = new Set(Object.keys(WORDS))

function nodesText(ranks: string, hosts: string, names: Names): string {
  const list = Hostlist.parse(hosts)
  if (list !== undefined && list.size > 0 && list.size <= MOST_NAMES) return ` ${names.hosts([...list])}`
  const set = Idset.parse(ranks)
  if (set === undefined || set.size === 0) return ''
  return set.size > MOST_NAMES ? ` ${countText(set.size, 'node')}` : ` rank ${set.toBracketed()}`
}

function checkpointEvent({ timestamp, sequence }: Checkpoint): Event {
  return { timestamp, kind: 'checkpoint', text: `checkpoint of sequence ${sequence}` }
}
