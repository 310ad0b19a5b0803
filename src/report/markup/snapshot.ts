/** The sections of a page about the snapshot, what has happened to the instance, and what has changed. */
import { countText } from '../../errors/index.ts'
import { commandsFor, diffCommand } from '../commands.ts'
import { count, deltaValue, size } from '../figures.ts'
import type { ReportComparison, ReportData, ReportSnapshot } from '../report-data.ts'
import { h, type Markup } from './element.ts'
import { code, deltas, figure, named, nothing, section, table, time } from './parts.ts'

/** Events that the table shows, the newest. */
const TABLE_ROWS = 500

/** What the snapshot is, and what could not be read. */
export function snapshotSection({ snapshot, tool, created, warnings, warningCount }: ReportData): Markup {
  const { namespaces, versions } = snapshot
  return section(
    'snapshot',
    'Snapshot',
    facts([
      ...snapshotFacts(snapshot),
      ['Flux versions', versions.length === 0 ? null : named(versions.join(', '))],
      ['Report', ['made by ', named(tool), ', ', time(created)]],
    ]),
    warningCount === 0
      ? null
      : h(
          'details',
          { class: 'warnings', open: warnings.length <= 5 },
          h('summary', {}, `${countText(warningCount, 'warning')} while the snapshot was read`),
          h(
            'ul',
            {},
            warnings.map((line) => h('li', {}, named(line))),
          ),
          warningCount > warnings.length
            ? h('p', { class: 'muted' }, `${count(warningCount - warnings.length)} more are not shown.`)
            : null,
        ),
    namespaces.length < 2
      ? null
      : h(
          'details',
          {},
          h('summary', {}, `${count(namespaces.length)} namespaces`),
          table({
            caption: 'Namespaces of the snapshot',
            columns: [{ title: 'Namespace' }, { title: 'Owner', figures: true }, { title: 'Root' }],
            rows: namespaces
              .slice(0, 500)
              .map(({ name, owner, rootref }) => [named(name), owner === null ? '–' : String(owner), code(rootref)]),
            left: Math.max(0, namespaces.length - 500),
          }),
        ),
  )
}

function snapshotFacts(snapshot: ReportSnapshot): [string, Markup][] {
  const { nodeCount, coreCount, gpuCount } = snapshot
  const parts = [
    nodeCount === null ? null : countText(nodeCount, 'node'),
    coreCount === null ? null : countText(coreCount, 'core'),
    gpuCount === null || gpuCount === 0 ? null : countText(gpuCount, 'GPU'),
  ]
  const resources = parts.filter((part) => part !== null).join(', ')
  return [
    ['Source', [named(snapshot.source), ` (${snapshot.kind})`]],
    ['Taken', snapshot.timestamp === null ? null : time(snapshot.timestamp)],
    ['Root', code(snapshot.rootref)],
    ['Sequence', snapshot.sequence === null ? null : count(snapshot.sequence)],
    ['Namespace', named(snapshot.namespace)],
    ['Hash', named(snapshot.hash)],
    ['Resources', resources === '' ? null : resources],
  ]
}

function facts(list: readonly (readonly [string, Markup])[]): Markup {
  return h(
    'dl',
    { class: 'facts' },
    list
      .filter(([, value]) => value !== null)
      .map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))),
  )
}

/** Starts, ends and other moments of the instance. */
export function eventsSection({ snapshot, events, comparison }: ReportData): Markup {
  const { list, left } = events
  const kinds = new Map<string, number>()
  for (const { kind } of list) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const crashes = kinds.get('crash') ?? 0
  const starts = (kinds.get('start') ?? 0) + (kinds.get('restart') ?? 0)
  const title = [
    starts === 0
      ? countText(list.length, 'event')
      : `The instance started ${starts === 1 ? 'once' : `${count(starts)} times`}`,
    crashes === 0 ? 'and no crash is recorded' : `and crashed ${crashes === 1 ? 'once' : `${count(crashes)} times`}`,
  ].join(', ')
  return section(
    'events',
    'Events',
    list.length === 0
      ? nothing('No event of the instance is recorded in this snapshot.')
      : [
          figure({
            id: 'events-figure',
            title,
            about: `${countText(list.length, 'event')}, a row for each kind${left === 0 ? '' : `; ${count(left)} older ones are left out`}.`,
            chart: 'events',
            table: {
              caption: 'Events by time',
              columns: [{ title: 'Time' }, { title: 'Event' }, { title: 'What happened' }],
              rows: list
                .slice(-TABLE_ROWS)
                .map(({ timestamp, kind, text }) => [time(timestamp), named(kind), named(text)]),
              left: Math.max(0, list.length - TABLE_ROWS),
            },
            open: list.length <= 100,
            command: commandsFor(snapshot)('kvs eventlog get resource.eventlog'),
            wide: true,
          }),
        ],
    deltas('events', comparison?.events),
  )
}

/** What has changed since the other snapshot, as a whole; each section has its own figures too. */
export function comparisonSection({ snapshot: now }: ReportData, { snapshot, keys }: ReportComparison): Markup {
  const counts: [string, string][] = [
    ['Keys added', count(keys.added)],
    ['Keys removed', count(keys.removed)],
    ['Keys changed', count(keys.changed)],
    ['Bytes', `${keys.bytes > 0 ? '+' : ''}${size(keys.bytes)}`],
  ]
  return section(
    'comparison',
    'Comparison',
    h('p', {}, 'This is the snapshot that the report compares with. Each section ends with the figures of both.'),
    facts(snapshotFacts(snapshot)),
    figure({
      id: 'comparison-keys',
      title: `${deltaValue('count', keys.added)} keys came, ${deltaValue('count', keys.removed)} went, and ${deltaValue('count', keys.changed)} changed`,
      about: 'Keys of the other snapshot against those of this one.',
      table: {
        caption: 'Keys that differ between the snapshots',
        columns: [{ title: 'Figure' }, { title: 'Number', figures: true }],
        rows: counts,
      },
      command: diffCommand(snapshot, now),
    }),
  )
}
