/** Parts that the sections of a page are made of. */
import { countText, startOf } from '../../errors/index.ts'
import { deltaChange, deltaValue, utcTime } from '../figures.ts'
import type { ReportDelta } from '../report-data.ts'
import { h, type Markup } from './element.ts'

/** Text that somebody else chose. Its direction of writing ends with it. */
export function named(text: string | null, otherwise = 'none'): Markup {
  return text === null ? h('span', { class: 'muted' }, otherwise) : h('bdi', {}, text)
}

/** Text that somebody else chose, within a sentence: a long one is cut. */
export function shortName(text: string): Markup {
  return named(text.length > LONGEST_NAME ? `${startOf(text, LONGEST_NAME)}…` : text)
}

/** In a sentence. */
const LONGEST_NAME = 60

/** Such text that is read letter by letter: a key, a blobref. */
export function code(text: string): Markup {
  return h('code', {}, h('bdi', {}, text))
}

/** A time in UTC; the script of the page puts that of the reader's zone before it. @param seconds - since 1970 */
export function time(seconds: number | null): Markup {
  const text = utcTime(seconds)
  if (seconds === null || !text.endsWith('UTC')) return text
  return h('time', { datetime: `${text.slice(0, -' UTC'.length).replace(' ', 'T')}Z`, 'data-seconds': seconds }, text)
}

/** A column of a table. */
export interface Column {
  readonly title: string
  /** True for figures, which stand at the right. */
  readonly figures?: boolean
}

/** What a {@link table} holds. */
export interface TableContent {
  /** What it shows, for those who do not see where it stands. */
  readonly caption: string
  readonly columns: readonly Column[]
  /** Cells by row; the first names the row. */
  readonly rows: readonly (readonly Markup[])[]
  /** Rows that are left out are counted below the table. */
  readonly left?: number
}

/** A table, which scrolls to the side where it is too wide. */
export function table({ caption, columns, rows, left = 0 }: TableContent): Markup {
  const side = (index: number) => (columns[index]?.figures ? 'figure-cell' : null)
  const head = columns.map(({ title }, i) => h('th', { scope: 'col', class: side(i) }, title))
  const body = rows.map((cells) =>
    h(
      'tr',
      {},
      cells.map((cell, i) =>
        i === 0 ? h('th', { scope: 'row', class: side(i) }, cell) : h('td', { class: side(i) }, cell),
      ),
    ),
  )
  return [
    h(
      'div',
      { class: 'scroll', role: 'group', tabindex: 0, 'aria-label': caption },
      h(
        'table',
        {},
        h('caption', { class: 'unseen' }, caption),
        h('thead', {}, h('tr', {}, head)),
        h('tbody', {}, body),
      ),
    ),
    left > 0 ? h('p', { class: 'muted' }, `${left} more rows are not shown here.`) : null,
  ]
}

/** What a {@link figure} holds. */
export interface FigureContent {
  readonly id: string
  /** A sentence: what the figure shows. Names in it are {@link shortName}s. */
  readonly title: Markup
  /** What is drawn, and its units. */
  readonly about: string
  /** Which chart of the page's script is drawn; without one, the table is all there is, and is open. */
  readonly chart?: string
  readonly legend?: readonly (readonly [key: string, text: string])[]
  readonly table: TableContent
  /** The command that gives the same figures. */
  readonly command: string | null
  /** True where the table is shown from the start. */
  readonly open?: boolean
  /** True for one that takes the whole width. */
  readonly wide?: boolean
  /** True for figures of two snapshots. */
  readonly compared?: boolean
}

/** A picture with its title, the table behind it, and the command that gives the same figures. */
export function figure(content: FigureContent): Markup {
  const { id, title, about, chart, legend, command, open = false, wide = false, compared = false } = content
  return h(
    'figure',
    {
      id,
      class: [wide ? 'wide' : '', compared ? 'compared' : ''].join(' ').trim() || null,
      'aria-labelledby': `${id}-title`,
    },
    h('figcaption', {}, h('h3', { id: `${id}-title` }, title), h('p', { class: 'about' }, about)),
    legend === undefined ? null : legendList(legend),
    chart === undefined
      ? h('div', { class: 'behind' }, table(content.table))
      : [
          h('div', { class: 'plot', 'data-chart': chart }),
          h(
            'details',
            { class: 'behind', open },
            h('summary', {}, 'Table', h('span', { class: 'unseen' }, `: ${content.table.caption}`)),
            table(content.table),
          ),
        ],
    commandLine(command),
  )
}

/** The command that gives the same figures. */
export function commandLine(command: string | null): Markup {
  return command === null ? null : h('p', { class: 'command' }, h('span', {}, 'In a terminal:'), ' ', code(command))
}

function legendList(legend: readonly (readonly [key: string, text: string])[]): Markup {
  return h(
    'ul',
    { class: 'legend' },
    legend.map(([key, text]) => h('li', {}, h('span', { class: 'swatch', 'data-swatch': key }), text)),
  )
}

/** Figures side by side, each with its name. */
export function tiles(list: readonly (readonly [label: string, value: Markup, note?: Markup])[]): Markup {
  return h(
    'dl',
    { class: 'tiles' },
    list.map(([label, value, note = null]) =>
      h('div', {}, h('dt', {}, label), h('dd', {}, value), note === null ? null : h('dd', { class: 'note' }, note)),
    ),
  )
}

/** A section of the page. */
export function section(id: string, title: string, ...children: Markup[]): Markup {
  return h('section', { id, 'aria-labelledby': `${id}-heading` }, h('h2', { id: `${id}-heading` }, title), ...children)
}

/** A paragraph where there is nothing to draw. */
export function nothing(text: string): Markup {
  return h('p', { class: 'nothing' }, text)
}

/** What has changed since the other snapshot, in one section. */
export function deltas(id: string, rows: readonly ReportDelta[] | undefined): Markup {
  if (rows === undefined || rows.length === 0) return null
  const changed = rows.filter(({ before, after }) => before !== after).length
  const some = `${changed} of ${countText(rows.length, 'figure')} ${changed === 1 ? 'has' : 'have'} changed`
  return figure({
    id: `${id}-then-and-now`,
    title: changed === 0 ? 'Nothing has changed since the other snapshot' : some,
    about: 'The other snapshot, and this one.',
    table: {
      caption: `Figures of this section in both snapshots`,
      columns: [
        { title: 'Figure' },
        { title: 'Then', figures: true },
        { title: 'Now', figures: true },
        { title: 'Change', figures: true },
      ],
      rows: rows.map((row) => [
        named(row.label),
        cell(row.unit, row.before),
        cell(row.unit, row.after),
        deltaChange(row),
      ]),
    },
    command: null,
    wide: true,
    compared: true,
  })
}

function cell(unit: ReportDelta['unit'], value: number | string | null): Markup {
  if (unit === 'time' && typeof value === 'number') return time(value)
  return named(deltaValue(unit, value))
}
