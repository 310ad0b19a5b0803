/**
 * The report as one file of HTML, which any browser opens without a network. All figures are in tables that need no script;
 * the script of the page (`page/`, which the build makes one file) draws pictures over them. A content security policy
 * allows this script and this style by their hashes, and nothing else.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { FluxError } from '../errors/index.ts'
import { count, failedPart, hours, percent, size } from './figures.ts'
import { harmless } from './harmless.ts'
import { type HtmlElement, h, htmlText, type Markup } from './markup/element.ts'
import { healthSection } from './markup/health.ts'
import { nodesSection } from './markup/nodes.ts'
import { named, tiles, time } from './markup/parts.ts'
import { roomSection } from './markup/room.ts'
import { comparisonSection, eventsSection, snapshotSection } from './markup/snapshot.ts'
import { workSection } from './markup/work.ts'
import { withinBudget } from './page-budget.ts'
import { PAGE_MARKER } from './page-marker.ts'
import type { ReportData } from './report-data.ts'

/**
 * Make the page of a report.
 *
 * Strings longer than 300 characters are cut in the middle, unless they belong to a command line, and control characters are written as escapes.
 *
 * @returns the bytes of the file, in UTF-8
 * @throws {FluxError} the parts that the build makes are not there
 */
export async function renderPage(data: ReportData): Promise<Uint8Array> {
  const shown = harmless(data)
  const [script, style] = await Promise.all([asset('script.txt'), asset('style.txt')])
  const policy = [
    "default-src 'none'",
    `script-src '${hashSource(script)}'`,
    `style-src '${hashSource(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const head = [
    '<meta charset="utf-8">',
    PAGE_MARKER,
    htmlText(h('meta', { 'http-equiv': 'Content-Security-Policy', content: policy })),
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    htmlText(h('title', {}, title(shown))),
    `<style>${style}</style>`,
  ]
  const json = `<script type="application/json" id="data">${scriptSafe(JSON.stringify(withinBudget(shown)))}</script>`
  const text = `<!doctype html>
<html lang="en" class="static">
<head>
${head.join('\n')}
</head>
${htmlText(body(shown)).replace(/<\/body>$/, '')}
${json}
<script>${script}</script>
</body>
</html>
`
  return Buffer.from(text)
}

function title({ snapshot }: ReportData): string {
  return `Report of ${snapshot.source}`
}

function body(data: ReportData): HtmlElement {
  const { snapshot, comparison, redacted, tool } = data
  const sections: [string, string, Markup][] = [
    ['snapshot', 'Snapshot', snapshotSection(data)],
    ['health', 'Health', healthSection(data)],
    ['room', 'Room', roomSection(data)],
    ['work', 'Work', workSection(data)],
    ['nodes', 'Nodes', nodesSection(data)],
    ['events', 'Events', eventsSection(data)],
    ...(comparison === null
      ? []
      : ([['comparison', 'Comparison', comparisonSection(data, comparison)]] as [string, string, Markup][])),
  ]
  return h(
    'body',
    {},
    h('a', { class: 'skip', href: '#main' }, 'Skip to the report'),
    h(
      'header',
      { class: 'bar' },
      h(
        'nav',
        { 'aria-label': 'Sections' },
        h(
          'ul',
          {},
          sections.map(([id, name]) => h('li', {}, h('a', { href: `#${id}` }, name))),
        ),
      ),
      h('div', { class: 'theme', 'data-theme-switch': true }),
    ),
    h(
      'main',
      { id: 'main', tabindex: -1 },
      h(
        'div',
        { class: 'lead' },
        h('p', { class: 'kicker' }, 'Flux key-value store'),
        h('h1', {}, named(snapshot.source)),
        h(
          'p',
          { class: 'taken' },
          snapshot.timestamp === null
            ? 'It is not known when the snapshot was taken.'
            : ['Snapshot of ', time(snapshot.timestamp)],
        ),
        redacted ? h('p', { class: 'note-line' }, 'Users, jobs and hosts have tokens in place of their names.') : null,
        summary(data),
      ),
      sections.map(([, , markup]) => markup),
    ),
    h(
      'footer',
      {},
      h(
        'p',
        {},
        'Made by ',
        named(tool),
        '.',
        redacted ? ' Commands read the source of this report when --store, --archive or --uri names it.' : null,
      ),
      h('p', { class: 'zone' }, 'Times are UTC.'),
    ),
  )
}

/** What most people want to know first. */
function summary({ health, room, work, nodes, snapshot }: ReportData): Markup {
  const worst = health.findings.some(({ level }) => level === 'bad') || health.fsck.errors > 0
  const notice = health.findings.some(({ level }) => level === 'notice')
  const troubled = nodes.rows.reduce((sum, row) => sum + row.count, 0)
  const { total } = work
  const part = failedPart(work)
  return tiles([
    [
      'Health',
      h(
        'span',
        { class: `verdict ${worst ? 'bad' : notice ? 'notice' : 'good'}` },
        worst ? 'Bad' : notice ? 'Notice' : 'Good',
      ),
      health.fsck.errors === 0 ? 'no damage found' : `${count(health.fsck.errors)} errors`,
    ],
    ['Size', size(room.bytes), `${count(room.keys)} keys`],
    ['Jobs', count(total.jobCount), part === null ? null : `${percent(part)} of those that ended failed`],
    ['Node-hours', hours(total.nodeHours)],
    ['Nodes', count(snapshot.nodeCount), troubled === 0 ? null : `${count(troubled)} drained or down at some time`],
  ])
}

/** A part that the build makes. Sources use that of the last build. */
async function asset(name: string): Promise<string> {
  const isSource = import.meta.url.endsWith('.ts')
  const url = new URL(`${isSource ? '../../dist/report/page' : './page'}/${name}`, import.meta.url)
  try {
    return await readFile(url, 'utf8')
  } catch (error) {
    throw FluxError.fromSystem(error, fileURLToPath(url))
  }
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

const LINE_SEPARATORS = /[<>&\u2028\u2029]/g

/** JSON in which nothing ends the element that it stands in. */
function scriptSafe(json: string): string {
  return json.replaceAll(LINE_SEPARATORS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
