/** The section of a page about what the machine did. */
import { countText } from '../../errors/index.ts'
import { type CommandFor, commandsFor } from '../commands.ts'
import { count, duration, failedPart, hours, percent, periodName, shortDuration, withinPeriod } from '../figures.ts'
import type { ReportData, ReportGroup, ReportHistogram, ReportPeriod, ReportWork } from '../report-data.ts'
import { h, type Markup } from './element.ts'
import { code, deltas, figure, named, nothing, section, shortName, tiles, time } from './parts.ts'

/** What the machine did. */
export function workSection({ snapshot, work, comparison }: ReportData): Markup {
  const command = commandsFor(snapshot)
  const { total, states, results } = work
  if (total.jobCount === 0) {
    return section('work', 'Work', nothing('No job is in this snapshot.'), deltas('work', comparison?.work))
  }
  const active = states.reduce((sum, state) => sum + state.count, 0)
  return section(
    'work',
    'Work',
    tiles([
      ['Jobs', count(total.jobCount), active === 0 ? 'none is active' : `${count(active)} active`],
      ['Node-hours', hours(total.nodeHours)],
      ['Core-hours', hours(total.coreHours)],
      ...(total.gpuHours > 0 ? ([['GPU-hours', hours(total.gpuHours)]] as const) : []),
      ['Failed', count(total.failedCount), `${percent(failedPart(work))} of those that ended`],
      ['Median wait', duration(total.wait.median), `95%: ${duration(total.wait.p95)}`],
      ['Median run time', duration(total.runtime.median), `95%: ${duration(total.runtime.p95)}`],
    ]),
    h(
      'div',
      { class: 'figures' },
      periodsFigure(work, command),
      utilisationFigure(work, snapshot.nodeCount, command),
      histogramFigure('wait', 'waited', 'From submission to the start', work.wait, command),
      histogramFigure('runtime', 'ran', 'From the start to the end', work.runtime, command),
      groupFigure('users', 'user', 'User', work.users, total.nodeHours, command),
      groupFigure('queues', 'queue', 'Queue', work.queues, total.nodeHours, command),
      groupFigure('banks', 'bank', 'Bank', work.banks, total.nodeHours, command),
      groupFigure('sizes', 'size', 'Nodes', work.sizes, total.nodeHours, command),
      statusFigure(results, states, command),
      failedFigure(work, command),
      longestFigure(work, command),
      deltas('work', comparison?.work),
    ),
  )
}

const ended = ({ completed, failed, canceled, timeout }: ReportPeriod) => completed + failed + canceled + timeout

function periodsFigure({ periods, unit }: ReportWork, command: CommandFor): Markup {
  if (periods.length === 0) return nothing('No job has ended.')
  const busiest = periods.reduce((a, b) => (ended(b) > ended(a) ? b : a))
  const all = periods.reduce((sum, period) => sum + ended(period), 0)
  const failed = periods.reduce((sum, period) => sum + period.failed, 0)
  return figure({
    id: 'periods',
    title: `${countText(all, 'job')} ended, and ${percent(failed / all || 0)} failed${
      periods.length === 1 ? '' : `; most (${count(ended(busiest))}) ended ${withinPeriod(unit, busiest.start)}`
    }`,
    about: `Jobs that ended in each ${unit} of UTC, by result.`,
    chart: 'periods',
    legend: [
      ['completed', 'completed'],
      ['failed', 'failed'],
      ['timeout', 'timed out'],
      ['canceled', 'canceled'],
    ],
    table: {
      caption: `Jobs by ${unit} and result`,
      columns: [
        { title: unit[0]?.toUpperCase() + unit.slice(1) },
        ...['Completed', 'Failed', 'Timed out', 'Canceled', 'Node-hours'].map((title) => ({ title, figures: true })),
      ],
      rows: periods.map((period) => [
        periodName(unit, period.start).replace(/^the (hour|week) of /, ''),
        count(period.completed),
        count(period.failed),
        count(period.timeout),
        count(period.canceled),
        hours(period.nodeHours),
      ]),
    },
    command: command(`jobs stats --by ${unit},result --utc`),
    wide: true,
  })
}

function utilisationFigure({ periods, unit }: ReportWork, nodeCount: number | null, command: CommandFor): Markup {
  const known = periods.filter(({ utilisation }) => utilisation !== null)
  if (known.length === 0) return null
  const length = known.reduce((sum, { start, end }) => sum + (end - start), 0)
  const mean = known.reduce((sum, { start, end, utilisation }) => sum + (utilisation ?? 0) * (end - start), 0) / length
  const most = known.reduce((a, b) => ((b.utilisation ?? 0) > (a.utilisation ?? 0) ? b : a))
  return figure({
    id: 'utilisation',
    title: `Jobs held ${percent(mean || 0)} of the nodes on average${
      known.length === 1 ? '' : `, and ${percent(most.utilisation)} ${withinPeriod(unit, most.start)}`
    }`,
    about: `Part of the nodes that jobs held in each ${unit} of UTC, from alloc to free, as if there had always been ${countText(nodeCount ?? 0, 'node')}.`,
    chart: 'utilisation',
    table: {
      caption: `Utilisation by ${unit}`,
      columns: [
        { title: unit[0]?.toUpperCase() + unit.slice(1) },
        { title: 'Utilisation', figures: true },
        { title: 'Node-hours', figures: true },
      ],
      rows: periods.map(({ start, utilisation, nodeHours }) => [
        periodName(unit, start).replace(/^the (hour|week) of /, ''),
        percent(utilisation),
        hours(nodeHours),
      ]),
    },
    command: command(`jobs stats --by ${unit} --utc`),
    wide: true,
  })
}

function histogramFigure(
  id: 'wait' | 'runtime',
  verb: string,
  about: string,
  histogram: ReportHistogram,
  command: CommandFor,
): Markup {
  const { bins, median, p95 } = histogram
  const all = bins.reduce((sum, bin) => sum + bin.count, 0)
  if (all === 0) return null
  return figure({
    id,
    title: `Half of the jobs ${verb} less than ${duration(median)}, and 5% longer than ${duration(p95)}`,
    about: `${about}: jobs by duration.`,
    chart: id,
    table: {
      caption: `Jobs by how long they ${verb}`,
      columns: [{ title: 'Duration' }, { title: 'Jobs', figures: true }, { title: 'Part', figures: true }],
      rows: bins.map(({ from, to, count: jobs }) => [
        `${shortDuration(from)} to ${shortDuration(to)}`,
        count(jobs),
        percent(jobs / all),
      ]),
    },
    command: command('jobs stats'),
  })
}

function groupFigure(
  id: string,
  by: string,
  title: string,
  groups: readonly ReportGroup[],
  nodeHours: number,
  command: CommandFor,
): Markup {
  const single = groups.filter(({ folded }) => folded === 0)
  const first = (single.length > 0 ? single : groups).toSorted((a, b) => b.nodeHours - a.nodeHours)[0]
  if (first === undefined) return null
  return figure({
    id,
    title:
      groups.length === 1
        ? alone(first, by)
        : [subject(first, by, title), ` ${percent(first.nodeHours / nodeHours || 0)} of the node-hours`],
    about: `Node-hours by ${by === 'size' ? 'size of the jobs, in nodes' : by}.`,
    chart: id,
    table: {
      caption: `Figures by ${by}`,
      columns: [
        { title },
        ...['Jobs', 'Failed', 'Node-hours', 'Core-hours', 'Median wait', 'Median run time'].map((column) => ({
          title: column,
          figures: true,
        })),
      ],
      rows: groups.map((group) => [
        group.name === null ? h('span', { class: 'muted' }, groupName(group, by)) : named(group.name),
        count(group.jobCount),
        count(group.failedCount),
        hours(group.nodeHours),
        hours(group.coreHours),
        duration(group.wait.median),
        duration(group.runtime.median),
      ]),
    },
    command: command(`jobs stats --by ${by}`),
  })
}

/** What is said where there is one group. */
function alone({ name }: ReportGroup, by: string): Markup {
  if (name === null) return `No job has a ${by}`
  if (by === 'size') return ['All jobs have ', nodesText(name)]
  return [by === 'user' ? 'All jobs are those of ' : `All jobs have the ${by} `, shortName(name)]
}

/** The group and its verb: `User alice used`. */
function subject({ name }: ReportGroup, by: string, title: string): Markup {
  if (name === null) return `Jobs without a ${by} took`
  if (by === 'size') return ['Jobs of ', nodesText(name), ' took']
  return [`${title} `, shortName(name), by === 'user' ? ' used' : ' took']
}

function nodesText(nodes: string): Markup {
  return [shortName(nodes), nodes === '1' ? ' node' : ' nodes']
}

/** The name of a group, or what stands for it. */
function groupName({ name, folded }: ReportGroup, by: string): string {
  return name ?? (folded > 0 ? `${count(folded)} others` : `no ${by}`)
}

function statusFigure(results: ReportWork['results'], states: ReportWork['states'], command: CommandFor): Markup {
  const rows = [
    ...results.map(({ result, count: jobs }) => [named(result), 'ended', jobs] as const),
    ...states.map(({ state, count: jobs }) => [named(state), 'active', jobs] as const),
  ]
  if (rows.length === 0) return null
  const all = rows.reduce((sum, [, , jobs]) => sum + jobs, 0)
  const active = states.reduce((sum, state) => sum + state.count, 0)
  return figure({
    id: 'statuses',
    title:
      active === 0 ? 'All jobs have ended' : `${countText(active, 'job')} had not ended when the snapshot was taken`,
    about: 'Jobs by result, and by state where they have none.',
    chart: 'statuses',
    table: {
      caption: 'Jobs by result and state',
      columns: [
        { title: 'Result or state' },
        { title: 'Job' },
        { title: 'Jobs', figures: true },
        { title: 'Part', figures: true },
      ],
      rows: rows.map(([name, what, jobs]) => [name, what, count(jobs), percent(jobs / all || 0)]),
    },
    command: command('jobs stats --by status'),
  })
}

function failedFigure({ mostFailed }: ReportWork, command: CommandFor): Markup {
  const first = mostFailed[0]
  if (first === undefined) return null
  return figure({
    id: 'failed',
    title: [shortName(first.name), ` failed most often: ${count(first.failed)} of ${countText(first.jobs, 'job')}`],
    about: 'Names of jobs by how many of them failed.',
    chart: 'failed',
    table: {
      caption: 'Names of jobs that failed most often',
      columns: [
        { title: 'Name' },
        { title: 'Failed', figures: true },
        { title: 'Jobs', figures: true },
        { title: 'Part', figures: true },
      ],
      rows: mostFailed.map(({ name, failed, jobs }) => [
        named(name),
        count(failed),
        count(jobs),
        percent(failed / jobs || 0),
      ]),
    },
    command: command('jobs stats --by name'),
  })
}

function longestFigure({ longest }: ReportWork, command: CommandFor): Markup {
  const first = longest[0]
  if (first === undefined) return null
  return figure({
    id: 'longest',
    title: `The longest job ran ${duration(first.runtime)}`,
    about: 'Jobs by run time, the longest first.',
    table: {
      caption: 'Longest jobs',
      columns: [
        { title: 'Job' },
        { title: 'Run time', figures: true },
        { title: 'Nodes', figures: true },
        { title: 'Name' },
        { title: 'User' },
        { title: 'Queue' },
        { title: 'Result' },
        { title: 'Start' },
      ],
      rows: longest.map(({ id, name, user, queue, nnodes, start, runtime, status }) => [
        code(id),
        duration(runtime),
        count(nnodes),
        named(name, '–'),
        named(user, '–'),
        named(queue, '–'),
        named(status),
        time(start),
      ]),
    },
    command: command("jobs --sort=-runtime -o '{id.f58} {runtime!F} {name}'"),
    wide: true,
  })
}
