/** The records of jobs, and the formats in which jobs are listed. */
import { crc32 } from 'node:zlib'
import { FluxError } from '../../../src/errors/index.ts'
import type { FormatContext } from '../../../src/inspect/jobs/format/context.ts'
import { compileFormat, type JobFormat } from '../../../src/inspect/jobs/format/job-format.ts'
import { JobRows } from '../../../src/inspect/jobs/format/job-rows.ts'
import { NAMED_FORMATS } from '../../../src/inspect/jobs/format/named-formats.ts'
import type { Job } from '../../../src/inspect/jobs/job.ts'
import { jobJson } from '../../../src/inspect/jobs/job-json.ts'
import { jobOf } from '../../../src/inspect/jobs/job-of.ts'
import { jobSummary } from '../../../src/inspect/jobs/job-summary.ts'
import { EventlogFormatter } from '../../../src/inspect/keys/eventlog-format.ts'
import { drainedNodes } from '../../../src/inspect/nodes/drained.ts'
import { nodeHistory } from '../../../src/inspect/nodes/node-history.ts'
import { type EventlogEntry, type KvsReader, parseEventlog } from '../../../src/kvs/index.ts'
import { JOB_ARGUMENTS } from '../../support/job-formats.ts'
import { assertSame, Disagreement, type Target } from '../target.ts'

const EVENTLOG = [
  '{"timestamp":1764000000.1,"name":"submit","context":{"userid":1000,"urgency":16,"flags":0,"version":1}}',
  '{"timestamp":1764000000.2,"name":"validate"}',
  '{"timestamp":1764000000.25,"name":"dependency-add","context":{"description":"begin-time=1764000010"}}',
  '{"timestamp":1764000000.3,"name":"depend"}',
  '{"timestamp":1764000000.3,"name":"priority","context":{"priority":16}}',
  '{"timestamp":1764000000.3,"name":"memo","context":{"uri":"ssh://host/tmp/x","a":{"b":null}}}',
  '{"timestamp":1764000000.3,"name":"jobspec-update","context":{"attributes.system.duration":600.0}}',
  '{"timestamp":1764000000.4,"name":"alloc","context":{"annotations":{"sched":{"resource_summary":"rank0/core0"}}}}',
  '{"timestamp":1764000000.4,"name":"resource-update","context":{"expiration":1764009999.0}}',
  '{"timestamp":1764000000.5,"name":"start"}',
  '{"timestamp":1764000001.5,"name":"exception","context":{"type":"cancel","severity":0,"note":"x","userid":1}}',
  '{"timestamp":1764000001.5,"name":"finish","context":{"status":9}}',
  '{"timestamp":1764000001.6,"name":"free"}',
  '{"timestamp":1764000001.7,"name":"clean"}',
  '',
].join('\n')

const JOBSPEC = JSON.stringify({
  version: 1,
  resources: [
    {
      type: 'node',
      count: 2,
      exclusive: true,
      with: [
        {
          type: 'slot',
          count: 1,
          label: 't',
          with: [
            { type: 'core', count: 4 },
            { type: 'gpu', count: 1 },
          ],
        },
      ],
    },
  ],
  tasks: [{ command: ['/bin/sleep', '1'], slot: 't', count: { per_slot: 1 } }],
  attributes: {
    system: {
      duration: 60,
      cwd: '/home',
      queue: 'batch',
      shell: { options: { 'per-resource': { type: 'core', count: 2 } } },
    },
  },
})

const R = JSON.stringify({
  version: 1,
  execution: {
    R_lite: [
      { rank: '0-3', children: { core: '0-7', gpu: '0-1' } },
      { rank: '5,9', children: { core: '0' } },
    ],
    nodelist: ['node[0-3]', 'node5', 'other9'],
    starttime: 1764000000.4,
    expiration: 1764003600,
  },
})

/** More levels than a stack of calls has room for. */
const NESTED = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`

const EVENT_TOKENS = [
  '{"timestamp":1,"name":"submit","context":{}}\n',
  '"name":"',
  ',"context":{',
  '"annotations":{"user":{"a":',
  'jobspec-update',
  'flux-restart',
  'urgency',
  'resources.',
  'attributes.system.',
  '__proto__',
  '12345678901234567890',
  '1e999',
  '-0',
  'null',
  '{"a":',
  '[',
  '\n',
  '\\ud800',
]

/** The plain form and JSON.parse must say the same of a line. */
function assertEvent({ timestamp, name, context, text }: EventlogEntry): void {
  const json = JSON.parse(text)
  if (Number(json.timestamp) !== timestamp && !(Number.isNaN(timestamp) || json.timestamp === null)) {
    throw new Disagreement(`timestamp ${timestamp}: ${text}`)
  }
  assertSame(name, json.name, 'the name of an event')
  assertSame(Object.keys(context ?? {}), Object.keys(json.context ?? {}), 'the context of an event')
}

export const eventlogs: Target = {
  name: 'eventlogs',
  budgetBytes: 4 << 20,
  maxBytes: 64 << 10,
  tokens: EVENT_TOKENS,
  seeds: () => {
    const lines = [...EVENTLOG.split('\n'), `{"timestamp":1,"name":"memo","context":${NESTED}}`]
    return [Buffer.from(EVENTLOG), ...lines.map((line) => Buffer.from(`${line}\n`))]
  },
  run(input) {
    const text = input.toString()
    const tolerant = parseEventlog(text, { tolerant: true })
    for (const entry of tolerant.entries) assertEvent(entry)
    const lines = text.split('\n').length - 1
    assertSame(tolerant.entries.length + tolerant.bad.length, lines, 'the number of lines')
    const job = jobOf(1n, { eventlog: text })
    JSON.parse(jobJson(job, 'someone'))
    jobSummary(1n, { eventlog: text, jobspec: JOBSPEC, R })
    assertSame(parseEventlog(text), tolerant, 'strict and tolerant')
  },
  isExpected: (error) => error instanceof FluxError,
}

/** In any of its forms an event is one line, and as it is stored it is the same JSON. */
export const events: Target = {
  name: 'events',
  budgetBytes: 16 << 20,
  maxBytes: 8192,
  tokens: EVENT_TOKENS,
  seeds: () => EVENTLOG.split('\n').map((line) => Buffer.from(`${line}\n`)),
  run(input) {
    const { entries } = parseEventlog(input.toString(), { tolerant: true })
    const formatters = [
      { unformatted: true },
      { printable: true },
      { human: true, color: true, printable: true },
      { unformatted: true, printable: true },
    ].map((format) => new EventlogFormatter(format))
    for (const entry of entries) {
      const lines = formatters.map((formatter) => formatter.line(entry))
      for (const line of lines) assertSame(line.indexOf('\n'), line.length - 1, `one line: ${JSON.stringify(line)}`)
      assertSame(JSON.parse(lines[0] as string), JSON.parse(entry.text), 'an event and its JSON')
    }
  },
  isExpected: (error) => error instanceof FluxError,
}

const RESOURCES = [
  '{"timestamp":1764000000.1,"name":"restart","context":{"ranks":"0-3","online":"0","nodelist":"n[0-3]"}}',
  '{"timestamp":1764000000.2,"name":"drain","context":{"idset":"1-2","nodelist":"n[1-2]","reason":"x","overwrite":0}}',
  '{"timestamp":1764000000.3,"name":"offline","context":{"idset":"3"}}',
  '{"timestamp":1764000000.4,"name":"online","context":{"idset":"1-3"}}',
  '{"timestamp":1764000000.5,"name":"undrain","context":{"idset":"2"}}',
  '{"timestamp":1764000000.6,"name":"resource-init","context":{"restart":true,"drain":{"0":{"timestamp":1,"reason":""}}}}',
  '',
].join('\n')
const RESOURCE_STATE =
  '{"timestamp":1764000000.25,"drain_state":{"1":{"timestamp":1.5,"reason":"old","nodelist":"n1"}}}'

/** The checkpoint of the resource module and its eventlog, with a NUL between. */
export const nodes: Target = {
  name: 'nodes',
  share: 0.5,
  // An event may name a million ranks.
  budgetBytes: 64 << 20,
  maxBytes: 4096,
  tokens: [
    ...EVENT_TOKENS,
    '"idset":"',
    '0-1000',
    'n[0-9]',
    'drain',
    'online',
    'restart',
    'resource-init',
    '"overwrite":2',
  ],
  seeds: () => [Buffer.from(`${RESOURCE_STATE}\0${RESOURCES}`), Buffer.from(`\0${RESOURCES}`)],
  async run(input) {
    const [checkpoint = '', eventlog = ''] = input.toString().split('\0')
    const reader = {
      async *read(key: string) {
        yield [Buffer.from(key.startsWith('checkpoint') ? checkpoint : eventlog)]
      },
    } as unknown as KvsReader
    const onFault = () => {}
    const drained = (await drainedNodes(reader, { onFault })).map(({ rank }) => rank)
    assertSame([...new Set(drained)], drained, 'a node is drained once')
    await nodeHistory(reader, { onFault })
  },
  isExpected: (error) => error instanceof FluxError,
}

/** A jobspec, an R and an eventlog, with NULs between. */
export const jobs: Target = {
  name: 'jobs',
  budgetBytes: 16 << 20,
  maxBytes: 8192,
  tokens: [
    ...EVENT_TOKENS,
    '"count":',
    '"with":[',
    '{"type":"node","count":1000000,"with":[',
    '{"type":"slot","count":1,"with":[{"type":"core","count":1}]}',
    '"R_lite":[',
    '"rank":"0-2147483647"',
    '"nodelist":["',
    '0,2,4,6,8,',
    '[0-1048575]',
    '\0',
  ],
  seeds: () => [
    Buffer.from(`${JOBSPEC}\0${R}\0${EVENTLOG}`),
    Buffer.from(`${JOBSPEC}\0`),
    Buffer.from(`\0${R}\0${EVENTLOG}`),
  ],
  run(input) {
    const [jobspec, R, eventlog] = input.toString().split('\0')
    const job = jobOf(1n, { jobspec, R, eventlog: eventlog || EVENTLOG })
    JSON.parse(jobJson(job, undefined))
    // Rows have room for many jobs, which takes longer than a job.
    if (crc32(input) % 32 === 0) rows(LONG, [job])
  },
  isExpected: (error) => error instanceof FluxError,
}

const CONTEXT: FormatContext = { utc: true, now: 1764000005, nameOf: (userid) => `user${userid}` }
const LONG = compileFormat(
  'sort:-t_submit {id.f58:>12} ?:{queue:<8.8} +:{name:>4.4} ?+:{nnodes:>2h} {annotations} {nodelist} {runtime!F} {t_submit!d:%F} {ranks}',
  CONTEXT,
)

function rows(format: JobFormat, jobs: readonly Job[]): string[] {
  const rows = new JobRows(format)
  for (const job of jobs) rows.add(job)
  return [rows.header(), ...[...rows.rows()].map(({ text }) => text)]
}

const JOBS: readonly Job[] = [
  jobOf(1n, { eventlog: EVENTLOG, jobspec: JOBSPEC, R }),
  jobOf(2n ** 63n, { eventlog: EVENTLOG.split('\n').slice(0, 5).join('\n'), jobspec: JOBSPEC }),
  jobOf(3n, {}),
]

export const formats: Target = {
  name: 'formats',
  // A field may be as wide as the format says.
  budgetBytes: 32 << 20,
  maxBytes: 512,
  tokens: [
    '{',
    '}',
    '{{',
    '?:',
    '+:',
    '?+:',
    'sort:',
    '!d:',
    '!F',
    '!H',
    '!D',
    '!P',
    '!r',
    '::>12h',
    ':>10.3f',
    ':,',
    ':_x',
    '.',
    'id.words',
    'annotations.',
    'user.',
    'sched.',
    'exception.',
    't_remaining',
    '{t_submit',
    '%',
    '%-d',
    '%s',
    '[',
    ']',
    '999999',
    'h+}',
    '😀',
    '\0',
  ],
  seeds: () =>
    [
      ...JOB_ARGUMENTS.flatMap((argument) => argument.filter((text) => text.includes('{'))),
      ...NAMED_FORMATS.map(({ format }) => format),
    ].map((text) => Buffer.from(text)),
  run(input) {
    rows(compileFormat(input.toString(), CONTEXT), JOBS)
  },
  isExpected: (error) => error instanceof FluxError,
}
