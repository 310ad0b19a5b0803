/** The section of a page about what takes the room. */
import { countText } from '../../errors/index.ts'
import { type CommandFor, commandsFor } from '../commands.ts'
import { count, percent, size } from '../figures.ts'
import type { ReportData, ReportRoom, ReportTreeNode } from '../report-data.ts'
import { h, type Markup } from './element.ts'
import { code, deltas, figure, named, nothing, section, shortName, tiles } from './parts.ts'

/** Directories that the table shows without a script. */
const TABLE_ROWS = 60

/** What takes the room. */
export function roomSection({ snapshot, room, comparison }: ReportData): Markup {
  const command = commandsFor(snapshot)
  return section(
    'room',
    'Room',
    tiles([
      ['Size', size(room.bytes), 'each blob once for each reference'],
      ['Each blob once', size(room.onceBytes)],
      ['Values', size(room.valueBytes)],
      ['Keys', count(room.keys)],
      ['Directories', count(room.dirs)],
    ]),
    h(
      'div',
      { class: 'figures' },
      room.tree.children.length === 0 ? nothing('The snapshot holds no key.') : treeFigure(room, command),
      kindsFigure(room, command),
      largestFigure(room),
      deltas('room', comparison?.room),
    ),
  )
}

function treeFigure({ tree }: ReportRoom, command: CommandFor): Markup {
  const largest = tree.children.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  const rows = listed(tree)
  return figure({
    id: 'tree',
    title: [shortName(largest.name), ` takes ${percent(largest.bytes / tree.bytes || 0)} of ${size(tree.bytes)}`],
    about: 'Areas are sizes of directories. Choose one to see into it.',
    chart: 'tree',
    table: {
      caption: 'Directories by size',
      columns: [
        { title: 'Directory' },
        { title: 'Size', figures: true },
        { title: 'Part', figures: true },
        { title: 'Keys', figures: true },
      ],
      rows: rows
        .slice(0, TABLE_ROWS)
        .map(({ path, node }) => [
          node.folded > 0
            ? [named(path), h('span', { class: 'muted' }, ` (${count(node.folded)} joined)`)]
            : code(path),
          size(node.bytes),
          percent(node.bytes / tree.bytes || 0),
          count(node.keys),
        ]),
      left: Math.max(0, rows.length - TABLE_ROWS),
    },
    command: command('du --depth 2'),
    wide: true,
  })
}

/** Two levels of directories, largest first, the parts of each after it. */
function listed(tree: ReportTreeNode): { path: string; node: ReportTreeNode }[] {
  const sorted = (nodes: readonly ReportTreeNode[]) => nodes.toSorted((a, b) => b.bytes - a.bytes)
  return sorted(tree.children).flatMap((node) => [
    { path: node.name, node },
    ...sorted(node.children).map((child) => ({
      path: node.folded > 0 ? child.name : `${node.name}.${child.name}`,
      node: child,
    })),
  ])
}

function kindsFigure({ kinds }: ReportRoom, command: CommandFor): Markup {
  const first = kinds[0]
  if (first === undefined) return null
  const all = kinds.reduce((sum, { bytes }) => sum + bytes, 0)
  return figure({
    id: 'kinds',
    title: [shortName(first.kind), `: ${percent(first.bytes / all || 0)} of the bytes`],
    about: 'Bytes by kind of record.',
    chart: 'kinds',
    table: {
      caption: 'Kinds of records by size',
      columns: [
        { title: 'Kind' },
        { title: 'Records', figures: true },
        { title: 'Size', figures: true },
        { title: 'Part', figures: true },
      ],
      rows: kinds.map(({ kind, count: records, bytes }) => [
        named(kind),
        count(records),
        size(bytes),
        percent(bytes / all || 0),
      ]),
    },
    command: command('du --kinds'),
  })
}

function largestFigure({ largest }: ReportRoom): Markup {
  const first = largest[0]
  if (first === undefined) return null
  return figure({
    id: 'largest',
    title: `The largest value takes ${size(first.bytes)}`,
    about: `The ${countText(largest.length, 'largest key').replace(/^1 /, '')}, by the bytes of their values.`,
    chart: 'largest',
    table: {
      caption: 'Largest keys',
      columns: [{ title: 'Key' }, { title: 'Size', figures: true }],
      rows: largest.map(({ key, bytes }) => [code(key), size(bytes)]),
    },
    command: null,
  })
}
