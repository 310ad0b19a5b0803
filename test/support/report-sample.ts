/** Reports for tests of the page and of the text: one with much of everything, and one with nothing. */
import type { ReportData, ReportFigures, ReportGroup, ReportNodeRow, ReportTreeNode } from '../../src/report/index.ts'

const DAY = 86_400
/** A Monday, in UTC. */
const START = Date.UTC(2026, 0, 5) / 1000

/** Numbers from 0 to 1 that are the same each time. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** How much a sample holds. */
export interface SampleSize {
  readonly periods?: number
  /** Directories in the treemap, about. */
  readonly treeNodes?: number
  /** Rows of nodes. */
  readonly nodeRows?: number
}

/** A report of a year, more or less, of a cluster. */
export function sampleReport({ periods = 26, treeNodes = 300, nodeRows = 9 }: SampleSize = {}): ReportData {
  const random = numbers(7)
  const weeks = Array.from({ length: periods }, (_, i) => ({
    start: START + i * 7 * DAY,
    end: START + (i + 1) * 7 * DAY,
    completed: Math.floor(300 + 500 * random()),
    failed: Math.floor(60 * random()),
    canceled: Math.floor(30 * random()),
    timeout: Math.floor(25 * random()),
    nodeHours: 1200 + 1400 * random(),
    utilisation: i === 3 ? null : 0.4 + 0.55 * random(),
  }))
  const sum = (of: (week: (typeof weeks)[number]) => number) => weeks.reduce((all, week) => all + of(week), 0)
  const jobs = sum(({ completed, failed, canceled, timeout }) => completed + failed + canceled + timeout)
  const total = figures(
    jobs,
    sum(({ nodeHours }) => nodeHours),
  )
  const end = START + periods * 7 * DAY
  const tree = sampleTree(treeNodes, random)
  return {
    version: 1,
    tool: 'flux-ts 0.1.0',
    created: end + 3600,
    redacted: false,
    snapshot: {
      source: '/var/lib/flux/content.sqlite',
      kind: 'sqlite',
      rootref: 'sha1-e7c8edbbde7a0cbf56ea1ce5987e037e3d6efe82',
      arguments: { store: '--store /var/lib/flux', root: '', source: '/var/lib/flux' },
      hash: 'sha1',
      sequence: 412_345,
      timestamp: end,
      namespace: 'primary',
      namespaces: [
        { name: 'primary', owner: 100, rootref: 'sha1-e7c8edbbde7a0cbf56ea1ce5987e037e3d6efe82' },
        { name: 'job-ƒ2fzYSv8Q', owner: 5001, rootref: 'sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91' },
      ],
      versions: ['0.79.0', '0.88.0'],
      nodeCount: 23,
      coreCount: 1024,
      gpuCount: 64,
    },
    health: {
      fsck: {
        directories: 12_345,
        values: 375_003,
        symlinks: 3,
        blobs: 542_107,
        errors: 2,
        damaged: [
          {
            key: 'job.0001.abcd.ef01.2345.guest.output',
            kind: 'missing',
            message: 'blob sha1-0123 is not in the store',
          },
          { key: 'job.0001.abcd.ef01.2346.eventlog', kind: 'corrupt', message: 'blob sha1-4567 has another hash' },
        ],
      },
      checkpoints: [0, 1, 2, 5, 9, 30].map((days, i) => ({
        rootref: `sha1-${String(i).repeat(40)}`,
        sequence: i === 5 ? null : 412_345 - i * 1000,
        timestamp: end - days * DAY,
        errors: [2, 0, 0, null, 0, 1][i] ?? null,
      })),
      content: {
        objects: 542_107,
        bytes: 401_000_000,
        storedBytes: 211_000_000,
        garbageObjects: 90_001,
        garbageBytes: 51_000_000,
        garbageStoredBytes: 31_000_000,
        fileBytes: 260_000_000,
        freePages: 2048,
        pageSize: 4096,
      },
      oversized: { limit: 104_857_600, count: 1, keys: [{ key: 'job.0001.big.guest.output', bytes: 123_456_789 }] },
      findings: [
        { level: 'bad', text: '2 blobs are missing or damaged', command: 'flux-ts fsck' },
        { level: 'notice', text: '1 value is above the size limit of the rc script', command: 'flux-ts du' },
        { level: 'good', text: 'The newest checkpoint is an hour old', command: null },
      ],
    },
    room: {
      bytes: tree.bytes,
      onceBytes: Math.floor(tree.bytes * 0.93),
      valueBytes: Math.floor(tree.bytes * 0.84),
      keys: tree.keys,
      dirs: 12_345,
      tree,
      kinds: [
        { kind: 'guest output', count: 40_000, bytes: 190_000_000 },
        { kind: 'eventlog', count: 90_000, bytes: 120_000_000 },
        { kind: 'jobspec', count: 30_000, bytes: 51_000_000 },
        { kind: 'R', count: 30_000, bytes: 22_000_000 },
        { kind: 'J', count: 30_000, bytes: 20_000_000 },
        { kind: 'directories', count: 12_345, bytes: 9_000_000 },
      ],
      largest: Array.from({ length: 10 }, (_, i) => ({
        key: `job.0${i}3f.91c2.0000.0000.guest.output`,
        bytes: Math.floor(123_456_789 / (i + 1)),
      })),
    },
    work: {
      total,
      unit: 'week',
      periods: weeks,
      states: [
        { state: 'RUN', count: 12 },
        { state: 'SCHED', count: 31 },
      ],
      results: [
        { result: 'COMPLETED', count: sum(({ completed }) => completed) },
        { result: 'FAILED', count: sum(({ failed }) => failed) },
        { result: 'CANCELED', count: sum(({ canceled }) => canceled) },
        { result: 'TIMEOUT', count: sum(({ timeout }) => timeout) },
      ],
      wait: histogram([4000, 6000, 3200, 1800, 900, 310, 80, 12], 12.4, 4100),
      runtime: histogram([120, 800, 1500, 5200, 6300, 2100, 400, 45], 431, 9200),
      users: groups(['alice', 'bob', 'carol', 'dave', 'erin'], total, 7),
      queues: groups(['batch', 'debug', 'gpu'], total, 0),
      banks: groups(['physics', 'climate'], total, 0),
      sizes: groups(['1', '2', '3-4', '5-8', '9-16'], total, 0),
      longest: Array.from({ length: 10 }, (_, i) => ({
        id: `ƒ2fzYSv8${i}`,
        name: `simulate-${i}`,
        user: 'alice',
        queue: i % 3 === 0 ? null : 'batch',
        nnodes: 2 ** (i % 5),
        start: START + i * 3 * DAY,
        runtime: 200_000 - i * 9000,
        status: i === 0 ? 'RUN' : 'COMPLETED',
      })),
      mostFailed: [
        { name: 'flaky-test', failed: 210, jobs: 400 },
        { name: 'simulate', failed: 40, jobs: 2000 },
      ],
    },
    nodes: {
      from: START,
      to: end,
      rows: Array.from({ length: nodeRows }, (_, i) => nodeRow(i, end, random)),
      quiet: { count: 7, hosts: 'node[9-15]' },
    },
    events: {
      list: [
        { timestamp: START, kind: 'start', text: 'The instance started with 23 nodes' },
        { timestamp: START + 20 * DAY, kind: 'drain', text: 'node3: bad disk' },
        { timestamp: START + 25 * DAY, kind: 'undrain', text: 'node3' },
        { timestamp: START + 60 * DAY, kind: 'shutdown', text: 'The instance was shut down' },
        { timestamp: START + 61 * DAY, kind: 'restart', text: 'The instance restarted, Flux 0.88.0' },
        { timestamp: START + 90 * DAY, kind: 'crash', text: 'The instance ended without a shutdown' },
        { timestamp: START + 90.1 * DAY, kind: 'restart', text: 'The instance restarted from a checkpoint' },
        { timestamp: end, kind: 'checkpoint', text: 'Checkpoint 412345' },
      ],
      left: 3,
    },
    warnings: ['job.1.2.3.4: eventlog is cut off'],
    warningCount: 4,
    comparison: null,
  }
}

/** A report of a store in which there is nothing. */
export function emptyReport(): ReportData {
  const sample = sampleReport()
  const none = figures(0, 0)
  return {
    ...sample,
    snapshot: {
      ...sample.snapshot,
      sequence: null,
      timestamp: null,
      namespaces: [],
      versions: [],
      nodeCount: null,
      coreCount: null,
      gpuCount: null,
    },
    health: {
      fsck: { directories: 1, values: 0, symlinks: 0, blobs: 1, errors: 0, damaged: [] },
      checkpoints: [],
      content: null,
      oversized: { limit: 104_857_600, count: 0, keys: [] },
      findings: [],
    },
    room: {
      bytes: 0,
      onceBytes: 0,
      valueBytes: 0,
      keys: 0,
      dirs: 1,
      tree: { name: '.', bytes: 0, keys: 0, folded: 0, children: [] },
      kinds: [],
      largest: [],
    },
    work: {
      total: none,
      unit: 'day',
      periods: [],
      states: [],
      results: [],
      wait: { bins: [], median: null, p95: null },
      runtime: { bins: [], median: null, p95: null },
      users: [],
      queues: [],
      banks: [],
      sizes: [],
      longest: [],
      mostFailed: [],
    },
    nodes: { from: null, to: null, rows: [], quiet: { count: 0, hosts: '' } },
    events: { list: [], left: 0 },
    warnings: [],
    warningCount: 0,
  }
}

/** A report that compares two snapshots. */
export function comparedReport(): ReportData {
  const sample = sampleReport()
  return {
    ...sample,
    comparison: {
      snapshot: { ...sample.snapshot, source: 'kvs-last-week.tgz', kind: 'archive', timestamp: START },
      keys: { added: 1200, removed: 31, changed: 77, bytes: 4_100_000 },
      health: [{ label: 'Errors', unit: 'count', before: 0, after: 2 }],
      room: [
        { label: 'Size', unit: 'bytes', before: 390_000_000, after: 401_000_000 },
        { label: 'Keys', unit: 'count', before: 374_000, after: 375_003 },
      ],
      work: [
        { label: 'Jobs', unit: 'count', before: 12_000, after: 13_000 },
        { label: 'Node-hours', unit: 'hours', before: 1000.5, after: 1212 },
        { label: 'Median wait', unit: 'seconds', before: 14.5, after: 12.4 },
        { label: 'Utilisation', unit: 'ratio', before: 0.55, after: 0.61 },
      ],
      nodes: [{ label: 'Drained', unit: 'text', before: 'node3', after: 'node[3-4]' }],
      events: [{ label: 'Last start', unit: 'time', before: START, after: START + DAY }],
    },
  }
}

function figures(jobCount: number, nodeHours: number): ReportFigures {
  return {
    jobCount,
    failedCount: Math.floor(jobCount * 0.06),
    canceledCount: Math.floor(jobCount * 0.03),
    timeoutCount: Math.floor(jobCount * 0.02),
    nodeHours,
    coreHours: nodeHours * 64,
    gpuHours: nodeHours * 4,
    wait: jobCount === 0 ? { median: null, p95: null } : { median: 12.4, p95: 4100 },
    runtime:
      jobCount === 0 ? { median: null, p95: null, sum: null } : { median: 431, p95: 9200, sum: nodeHours * 1800 },
  }
}

/** Each has half of what is left. */
function groups(names: readonly string[], total: ReportFigures, folded: number): ReportGroup[] {
  const list = names.map(
    (name, i): ReportGroup => ({
      ...figures(Math.floor(total.jobCount / 2 ** (i + 1)), total.nodeHours / 2 ** (i + 1)),
      name,
      folded: 0,
    }),
  )
  const part = 2 ** names.length
  const rest = { ...figures(Math.floor(total.jobCount / part), total.nodeHours / part), name: null, folded }
  return [...list, rest]
}

function histogram(counts: readonly number[], median: number, p95: number) {
  const bins = counts.map((count, i) => ({ from: i === 0 ? 0 : 4 ** (i - 1), to: 4 ** i, count }))
  return { bins, median, p95 }
}

function nodeRow(index: number, end: number, random: () => number): ReportNodeRow {
  const from = START + random() * 0.7 * (end - START)
  return {
    hosts: index === 2 ? 'node[20-27]' : `node${index}`,
    ranks: index === 2 ? '20-27' : String(index),
    count: index === 2 ? 8 : 1,
    spans: [
      { state: 'drained', from, to: from + (2 + 5 * random()) * DAY, reason: index === 1 ? null : 'bad disk' },
      { state: 'down', from: from + DAY, to: index === 4 ? null : from + 1.5 * DAY, reason: null },
    ],
    nodeHours: 100 + 900 * random(),
  }
}

function sampleTree(nodes: number, random: () => number): ReportTreeNode {
  const leaf = (name: string, scale: number): ReportTreeNode => {
    const bytes = Math.floor(scale * (0.05 + random()))
    return { name, bytes, keys: 1 + Math.floor(bytes / 1000), folded: 0, children: [] }
  }
  const dir = (name: string, children: ReportTreeNode[]): ReportTreeNode => ({
    name,
    bytes: children.reduce((sum, child) => sum + child.bytes, 1500),
    keys: children.reduce((sum, child) => sum + child.keys, 0),
    folded: 0,
    children,
  })
  const years = Array.from({ length: 8 }, (_, i) =>
    dir(
      `0${i}3f`,
      Array.from({ length: Math.ceil(nodes / 16) }, (_, k) =>
        k % 3 === 0 ? dir(`91c${k}`, [leaf('guest', 900_000), leaf('eventlog', 60_000)]) : leaf(`a0${k}`, 700_000),
      ),
    ),
  )
  const rest: ReportTreeNode = { name: '083f-1fff', bytes: 2_000_000, keys: 4000, folded: 321, children: [] }
  return dir('.', [
    dir('job', [...years, rest]),
    dir('resource', [leaf('eventlog', 900_000), leaf('R', 40_000)]),
    leaf('config', 1_000_000),
    leaf('checkpoint', 500_000),
  ])
}
