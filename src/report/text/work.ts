import { countText, grouped } from '../../errors/index.ts'
import type { ReportGroup, ReportHistogram, ReportPeriod, ReportSnapshot, ReportWork } from '../report-data.ts'
import type { Cell, TextPage } from './page.ts'
import { dayText, hoursText, percentText, secondsText } from './quantities.ts'

const BAR = 14
/** Rows of a table. */
const LISTED = 10

/** The section on the jobs. */
export function workText(page: TextPage, work: ReportWork, { nodeCount }: ReportSnapshot): void {
  const { total, states, results } = work
  const counts = [
    ...results.map(({ result, count }) => `${grouped(count)} ${result.toLowerCase()}`),
    ...states.map(({ state, count }) => `${grouped(count)} in state ${state}`),
  ]
  page.paragraph(`${countText(total.jobCount, 'job')}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`)
  page.paragraph(
    `${hoursText(total.nodeHours)} node-hours, ${hoursText(total.coreHours)} core-hours, ${hoursText(total.gpuHours)} GPU-hours`,
  )
  periodsText(page, work, nodeCount)
  histogramText(page, 'Wait, from submission to allocation', work.wait)
  histogramText(page, 'Run time', work.runtime)
  groupsText(page, 'Users', work.users)
  if (work.queues.length > 1) groupsText(page, 'Queues', work.queues)
  if (work.banks.length > 1) groupsText(page, 'Banks', work.banks)
  if (work.sizes.length > 1) groupsText(page, 'Sizes, in nodes', work.sizes)
  if (work.longest.length > 0) {
    page.title('Jobs that ran longest')
    page.table(
      work.longest.map(({ id, name, user, nnodes, runtime, status }): Cell[] => [
        id,
        user ?? '-',
        { right: nnodes === null ? '-' : grouped(nnodes) },
        { right: secondsText(runtime) },
        status,
        name ?? '-',
      ]),
      ['JOBID', 'USER', 'NODES', 'RUN', 'RESULT', 'NAME'],
    )
  }
  if (work.mostFailed.length > 0) {
    page.title('Names of jobs that failed most often')
    page.table(
      work.mostFailed.map(({ name, failed, jobs }): Cell[] => [
        name,
        { right: grouped(failed) },
        { right: grouped(jobs) },
      ]),
      ['NAME', 'FAILED', 'JOBS'],
    )
  }
}

function periodsText(page: TextPage, { periods, unit }: ReportWork, nodeCount: number | null): void {
  const [first, last] = [periods[0], periods.at(-1)]
  // One period makes no picture.
  if (first === undefined || last === undefined || first === last) return
  page.title(`By ${unit}, from ${dayText(first.start)} to ${dayText(last.end - 1)} UTC`)
  const width = page.width - LABEL - MOST
  const row = (label: string, of: (period: ReportPeriod) => number | null, how: 'sum' | 'mean', most?: number) => {
    const numbers = resampled(periods.map(of), width, how)
    const highest = most ?? Math.max(...numbers.map((number) => number ?? 0))
    const end = how === 'mean' ? percentText(highest) : grouped(Math.round(highest))
    page.line(`  ${page.padded(label, LABEL - 2)}${page.padded(page.spark(numbers, highest), width)} ${end}`)
  }
  row('ended', ({ completed, failed, canceled, timeout }) => completed + failed + canceled + timeout, 'sum')
  row('not completed', ({ failed, canceled, timeout }) => failed + canceled + timeout, 'sum')
  row('node-hours', ({ nodeHours }) => nodeHours, 'sum')
  if (nodeCount === null) return
  row('utilisation', ({ utilisation }) => utilisation, 'mean', 1)
  page.line(`  (as if there had always been ${countText(nodeCount, 'node')})`)
}

const LABEL = 17
const MOST = 10

/** As many numbers as fit. */
function resampled(numbers: readonly (number | null)[], width: number, how: 'sum' | 'mean'): (number | null)[] {
  const step = Math.ceil(numbers.length / width)
  const all: (number | null)[] = []
  for (let at = 0; at < numbers.length; at += step) {
    const known = numbers.slice(at, at + step).filter((number) => number !== null)
    const sum = known.reduce((total, number) => total + number, 0)
    all.push(known.length === 0 ? null : how === 'sum' ? sum : sum / known.length)
  }
  return all
}

function histogramText(page: TextPage, title: string, { bins, median, p95 }: ReportHistogram): void {
  if (bins.length === 0) return
  page.title(`${title}: median ${secondsText(median)}, 95% within ${secondsText(p95)}`)
  const most = Math.max(...bins.map(({ count }) => count))
  page.table(
    bins.map(({ from, to, count }): Cell[] => [
      { right: to > LONGEST ? `over ${secondsText(from)}` : `up to ${secondsText(to)}` },
      { right: grouped(count) },
      page.bar(count / most, page.width - 30),
    ]),
  )
}

/** A bound beyond all that people have words for. */
const LONGEST = 1e9

function groupsText(page: TextPage, title: string, groups: readonly ReportGroup[]): void {
  if (groups.length === 0) return
  const most = Math.max(...groups.map(({ nodeHours }) => nodeHours))
  page.title(title)
  const listed = groups.filter(({ folded }) => folded === 0).slice(0, LISTED)
  page.table(
    listed.map((group): Cell[] => [
      group.name ?? '(none)',
      { right: grouped(group.jobCount) },
      { right: grouped(group.failedCount) },
      { right: hoursText(group.nodeHours) },
      { right: secondsText(group.wait.median) },
      { right: secondsText(group.runtime.median) },
      page.bar(most > 0 ? group.nodeHours / most : 0, BAR),
    ]),
    ['NAME', 'JOBS', 'FAILED', 'NODE-H', 'WAIT', 'RUN', ''],
  )
  const more = groups.reduce((sum, { folded }) => sum + (folded || 1), 0) - listed.length
  if (more > 0) page.line(`  and ${grouped(more)} more`)
}
