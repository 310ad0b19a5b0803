/** A report as text, for a terminal or a mail. */
import { byteText, countText, grouped } from '../../errors/index.ts'
import type { ReportData, ReportDelta, ReportFinding, ReportSnapshot } from '../report-data.ts'
import { nodesText } from './nodes.ts'
import { type Cell, type ReportTextOptions, TextPage } from './page.ts'
import { deltaText, momentText } from './quantities.ts'
import { roomText } from './room.ts'
import { workText } from './work.ts'

/** Checkpoints, events and warnings in a list. */
const LISTED = 20

/**
 * Write a report as text.
 *
 * @returns lines without newlines, none wider than `width`, and none with control characters
 */
export function reportText(data: ReportData, options: ReportTextOptions = {}): string[] {
  const page = new TextPage(options)
  page.line(`Report of ${data.snapshot.source}`)
  page.line(`made ${momentText(data.created)} by ${data.tool}${data.redacted ? '; names are replaced by tokens' : ''}`)
  page.heading('Snapshot')
  snapshotText(page, data.snapshot)
  page.heading('Health')
  healthText(page, data.health)
  page.heading('Room')
  roomText(page, data.room)
  page.heading('Work')
  workText(page, data.work, data.snapshot)
  page.heading('Nodes')
  nodesText(page, data.nodes)
  page.heading('Events')
  eventsText(page, data.events)
  if (data.comparison) {
    page.heading('Changes')
    comparisonText(page, data.comparison)
  }
  if (data.warningCount > 0) {
    page.heading('Warnings')
    for (const warning of data.warnings.slice(0, LISTED)) page.paragraph(warning, '  - ')
    const more = data.warningCount - Math.min(LISTED, data.warnings.length)
    if (more > 0) page.line(`  and ${grouped(more)} more`)
  }
  return page.lines
}

function snapshotText(page: TextPage, snapshot: ReportSnapshot): void {
  const { kind, rootref, sequence, timestamp, namespace, namespaces, versions } = snapshot
  const { nodeCount, coreCount, gpuCount } = snapshot
  const rows: [string, string][] = [
    ['source', `${snapshot.source} (${kind})`],
    ['taken', momentText(timestamp)],
    ['root', rootref],
    ['sequence', sequence === null ? '-' : grouped(sequence)],
    ['namespace', namespaces.length > 1 ? `${namespace}, of ${namespaces.length}` : namespace],
    ['Flux', versions.join(', ') || '-'],
  ]
  if (nodeCount !== null) {
    const gpus = gpuCount ? `, ${grouped(gpuCount)} GPUs` : ''
    rows.push(['machine', `${countText(nodeCount, 'node')}, ${countText(coreCount ?? 0, 'core')}${gpus}`])
  }
  page.table(rows)
}

const SIGNS: Readonly<Record<ReportFinding['level'], string>> = { bad: '[BAD]  ', notice: '[note] ', good: '[good] ' }

function healthText(page: TextPage, { findings, fsck, checkpoints, content }: ReportData['health']): void {
  for (const { level, text, command } of findings) {
    page.paragraph(text, `  ${SIGNS[level]}`)
    if (level === 'bad' && command !== null) page.line(`         ${command}`)
  }
  if (fsck.damaged.length > 0) {
    page.title('Damaged keys')
    page.table(fsck.damaged.slice(0, LISTED).map(({ key, message }) => [key, message]))
  }
  if (checkpoints.length > 0) {
    page.title('Checkpoints, newest first')
    page.table(
      checkpoints.slice(0, LISTED).map(({ timestamp, sequence, errors }): Cell[] => {
        const state = errors === null ? 'not checked' : errors === 0 ? 'whole' : `${grouped(errors)} damaged keys`
        return [momentText(timestamp), { right: sequence === null ? '-' : grouped(sequence) }, state]
      }),
      ['TIME', 'SEQUENCE', 'STATE'],
    )
  }
  if (content === null) return
  page.title('Store')
  const { objects, bytes, storedBytes, garbageObjects, garbageBytes, garbageStoredBytes, fileBytes } = content
  const free = (content.freePages ?? 0) * (content.pageSize ?? 0)
  page.table(
    [
      ['all blobs', { right: grouped(objects) }, { right: byteText(bytes) }, { right: byteText(storedBytes) }],
      [
        'garbage',
        { right: grouped(garbageObjects) },
        { right: byteText(garbageBytes) },
        { right: byteText(garbageStoredBytes) },
      ],
    ],
    ['', 'BLOBS', 'BYTES', 'STORED'],
  )
  if (fileBytes !== null) page.line(`  the database has ${byteText(fileBytes)}, of which ${byteText(free)} are free`)
}

function eventsText(page: TextPage, { list, left }: ReportData['events']): void {
  if (list.length === 0) page.line('  no records tell of any')
  const shown = list.slice(-LISTED)
  const more = left + list.length - shown.length
  if (more > 0) page.line(`  ${grouped(more)} older ones are left out`)
  page.table(shown.map(({ timestamp, kind, text }) => [momentText(timestamp), kind, text]))
}

function comparisonText(page: TextPage, comparison: NonNullable<ReportData['comparison']>): void {
  const { snapshot, keys } = comparison
  const { added, removed, changed, bytes } = keys
  page.line(`  since ${momentText(snapshot.timestamp)}, ${snapshot.source}`)
  const size = `${bytes < 0 ? '-' : '+'}${byteText(Math.abs(bytes))}`
  page.line(`  keys: ${grouped(added)} added, ${grouped(removed)} removed, ${grouped(changed)} changed, ${size}`)
  const sections = [
    ['Health', comparison.health],
    ['Room', comparison.room],
    ['Work', comparison.work],
    ['Nodes', comparison.nodes],
    ['Events', comparison.events],
  ] as const
  const isNews = ({ before, after }: ReportDelta) => before !== after
  for (const [title, rows] of sections) {
    const news = rows.filter(isNews).map(({ label, unit, before, after }): Cell[] => {
      return [label, { right: deltaText(before, unit) }, { right: deltaText(after, unit) }]
    })
    if (news.length > 0) page.title(title)
    page.table(news, ['', 'BEFORE', 'NOW'])
  }
}
