/** The section of a page about the health of the snapshot and its store. */
import { countText } from '../../errors/index.ts'
import { type CommandFor, commandsFor } from '../commands.ts'
import { count, duration, limit, percent, size } from '../figures.ts'
import type { ReportComparison, ReportData, ReportHealth } from '../report-data.ts'
import { h, type Markup } from './element.ts'
import { code, deltas, figure, named, nothing, section, tiles, time } from './parts.ts'

const LEVELS = { good: 'Good', notice: 'Notice', bad: 'Bad' } as const

/** Is it healthy, and how do we know. */
export function healthSection({ snapshot, health, created, comparison }: ReportData): Markup {
  const command = commandsFor(snapshot)
  const { fsck, checkpoints, content, oversized, findings } = health
  const newest = checkpoints[0]
  const whole = checkpoints.filter(({ errors }) => errors === 0).length
  return section(
    'health',
    'Health',
    findings.length === 0
      ? null
      : h(
          'ul',
          { class: 'findings' },
          findings.map(({ level, text, command }) =>
            h(
              'li',
              { class: `finding ${level in LEVELS ? level : 'notice'}` },
              h('strong', { class: 'level' }, LEVELS[level] ?? level),
              h('span', {}, named(text), command === null ? null : [' ', h('span', { class: 'tell' }, code(command))]),
            ),
          ),
        ),
    tiles([
      [
        'Errors found',
        count(fsck.errors),
        `in ${countText(fsck.blobs, 'blob')} of ${countText(fsck.values, 'value')} and ${
          fsck.directories === 1 ? '1 directory' : `${count(fsck.directories)} directories`
        }`,
      ],
      newest === undefined
        ? ['Checkpoints', '0', 'none in the source']
        : [
            'Newest checkpoint',
            `${duration(Math.max(0, created - newest.timestamp))} old`,
            `${count(whole)} of ${count(checkpoints.length)} whole`,
          ],
      content === null
        ? ['Garbage', '–', 'the source is no store on disk']
        : [
            'Garbage',
            size(content.garbageStoredBytes),
            `${percent(content.garbageStoredBytes / content.storedBytes || 0)} of what is stored`,
          ],
      content === null || content.freePages === null || content.pageSize === null
        ? ['Free pages', '–']
        : ['Free pages', size(content.freePages * content.pageSize), countText(content.freePages, 'page')],
      [
        'Dropped at the next restore',
        count(oversized.count),
        `${oversized.count === 1 ? 'value' : 'values'} above ${limit(oversized.limit)}`,
      ],
    ]),
    h(
      'div',
      { class: 'figures' },
      checkpointFigure(health, command),
      contentFigure(health, command),
      fsck.damaged.length === 0
        ? null
        : figure({
            id: 'damaged',
            title: `${countText(fsck.errors, 'error')}: the first damaged keys`,
            about: 'What the check of this snapshot found.',
            table: {
              caption: 'Damaged keys',
              columns: [{ title: 'Key' }, { title: 'Kind' }, { title: 'Error' }],
              rows: fsck.damaged.map(({ key, kind, message }) => [code(key), named(kind), named(message)]),
              left: Math.max(0, fsck.errors - fsck.damaged.length),
            },
            command: command('fsck', 'check'),
            wide: true,
          }),
      oversized.keys.length === 0
        ? null
        : figure({
            id: 'oversized',
            title: `${countText(oversized.count, 'value')} would be lost at the next restart`,
            about: `When the rc script of Flux restores a dump, it drops values above ${limit(oversized.limit)}.`,
            table: {
              caption: 'Values above the size limit',
              columns: [{ title: 'Key' }, { title: 'Size', figures: true }],
              rows: oversized.keys.map(({ key, bytes }) => [code(key), size(bytes)]),
              left: Math.max(0, oversized.count - oversized.keys.length),
            },
            command: null,
            wide: true,
          }),
      deltas('health', (comparison as ReportComparison | null)?.health),
    ),
  )
}

function checkpointFigure({ checkpoints }: ReportHealth, command: CommandFor): Markup {
  if (checkpoints.length === 0) return nothing('The source has no checkpoint.')
  const damaged = checkpoints.filter(({ errors }) => errors !== null && errors > 0).length
  const unknown = checkpoints.filter(({ errors }) => errors === null).length
  const all = checkpoints.length
  const title =
    damaged > 0
      ? all === 1
        ? 'The only checkpoint is damaged'
        : `${count(damaged)} of ${countText(all, 'checkpoint')} ${damaged === 1 ? 'is' : 'are'} damaged`
      : unknown === 0
        ? all === 1
          ? 'The only checkpoint is whole'
          : `All ${count(all)} checkpoints are whole`
        : `${count(all - unknown)} of ${countText(all, 'checkpoint')} ${all - unknown === 1 ? 'is' : 'are'} known to be whole`
  return figure({
    id: 'checkpoints',
    title,
    about: 'Checkpoints of the store by time.',
    chart: 'checkpoints',
    legend: [
      ['whole', 'whole'],
      ['damaged', 'damaged'],
      ['unchecked', 'not checked'],
    ],
    table: {
      caption: 'Checkpoints, newest first',
      columns: [{ title: 'Time' }, { title: 'Sequence', figures: true }, { title: 'State' }, { title: 'Root' }],
      rows: checkpoints.map(({ rootref, sequence, timestamp, errors }) => [
        time(timestamp),
        count(sequence),
        errors === null ? 'not checked' : errors === 0 ? 'whole' : countText(errors, 'error'),
        code(rootref),
      ]),
    },
    command: command('fsck --all', 'store'),
  })
}

function contentFigure({ content }: ReportHealth, command: CommandFor): Markup {
  if (content === null) return null
  const { objects, bytes, storedBytes, garbageObjects, garbageBytes, garbageStoredBytes } = content
  const { fileBytes, freePages, pageSize } = content
  const free = freePages === null || pageSize === null ? null : freePages * pageSize
  return figure({
    id: 'content',
    title:
      garbageObjects === 0
        ? 'Every object of the store is reachable from a checkpoint'
        : `${percent(garbageStoredBytes / storedBytes || 0)} of the stored bytes are garbage`,
    about: 'Bytes of the store as they are on disk, compressed. Garbage is what no checkpoint reaches.',
    chart: 'content',
    legend: [
      ['reachable', 'reachable'],
      ['garbage', 'garbage'],
      ...(free === null ? [] : ([['free', 'free pages']] as const)),
    ],
    table: {
      caption: 'What the store holds',
      columns: [
        { title: 'Part' },
        { title: 'Objects', figures: true },
        { title: 'Bytes', figures: true },
        { title: 'Stored', figures: true },
      ],
      rows: [
        [
          'Reachable',
          count(objects - garbageObjects),
          size(bytes - garbageBytes),
          size(storedBytes - garbageStoredBytes),
        ],
        ['Garbage', count(garbageObjects), size(garbageBytes), size(garbageStoredBytes)],
        ['All objects', count(objects), size(bytes), size(storedBytes)],
        ...(free === null ? [] : [['Free pages', count(freePages), '–', size(free)]]),
        ...(fileBytes === null ? [] : [['File', '–', '–', size(fileBytes)]]),
      ],
    },
    command: command('content stats --reachable', 'store'),
  })
}
