/** Signals at named points, and standard streams that are closed, full, or that nobody reads any more. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultCase, faultMatrix, type Scene } from '../support/fault-case.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { fixture } from '../support/fixtures.ts'

const POINTS: Record<string, FaultPoint> = {
  'before its first bytes': { call: 'write', on: /\.part$/ },
  'before it is flushed': { call: 'fsync', on: /\.part$/ },
}

/** That of SIGINT, SIGTERM and SIGKILL is in ended-at-a-point.test.ts. */
const files: FaultCase[] = Object.entries(POINTS).flatMap(([where, at]) =>
  (['SIGHUP', 'SIGQUIT'] as const).flatMap((signal) =>
    ['x.tar', 'x.tar.zst', 'x.zip'].map((outfile) => ({
      name: `by ${signal} ${where}: ${outfile}`,
      outfile,
      older: true,
      at,
      during: (_, running) => running.kill(signal),
      status: 130,
      error: new RegExp(`^flux-ts dump: interrupted by ${signal}$`),
    })),
  ),
)

const formats: FaultCase[] = ['x.tgz', 'x.tar.bz2', 'x.tar.xz', 'x.cpio', 'x.iso'].map((outfile) => ({
  name: `by SIGHUP before it is flushed: ${outfile}`,
  outfile,
  older: true,
  at: { call: 'fsync', on: /\.part$/ },
  during: (_, running) => running.kill('SIGHUP'),
  status: 130,
  error: /^flux-ts dump: interrupted by SIGHUP$/,
}))

const NEW_STORE = 'new.sqlite'

/** Other commands, and where they are interrupted. */
const OTHERS: Record<string, [point: FaultPoint, args: (scene: Scene) => string[]]> = {
  dump: [{ call: 'openSync', on: /\.part\/job/ }, ({ store, out }) => ['dump', '-q', '--store', store, `${out}/x/`]],
  restore: [
    { call: 'exec', on: /^BEGIN IMMEDIATE/ },
    ({ out }) => ['restore', '-q', '--store', join(out, NEW_STORE), fixture('jobs', 'dump.tgz')],
  ],
  'content compact': [
    { call: 'fsyncSync', on: /\.part$/ },
    ({ store, out }) => ['content', 'compact', '-q', '--store', store, join(out, NEW_STORE)],
  ],
  rescue: [
    { call: 'exec', on: /^BEGIN IMMEDIATE/ },
    ({ store, out }) => ['rescue', '-q', '--store', store, '--out', join(out, 'new')],
  ],
  report: [{ call: 'fsync', on: /\.part$/ }, ({ store, out }) => ['report', '--store', store, join(out, 'x.html')]],
}

const exports: FaultCase[] = ['csv', 'ndjson', 'parquet', 'sqlite'].map((format) => ({
  name: `by SIGTERM before it is flushed: jobs in ${format}`,
  at: { call: 'fsync', on: /\.part$/ },
  args: ({ store, out }) => ['jobs', 'export', '--quiet', '--store', store, join(out, `x.${format}`)],
  during: (_, running) => running.kill('SIGTERM'),
  status: 130,
  error: /^flux-ts jobs export: interrupted by SIGTERM$/,
}))

const others: FaultCase[] = Object.entries(OTHERS).flatMap(([command, [at, args]]) =>
  (['SIGHUP', 'SIGQUIT'] as const).map((signal) => ({
    name: `by ${signal}: ${command}`,
    at,
    args,
    during: (_, running) => running.kill(signal),
    status: 130,
    error: new RegExp(`^flux-ts ${command}: interrupted by ${signal}$`),
  })),
)

/** The dump is complete in spite of what happened. */
const isComplete: Pick<FaultCase, 'status' | 'error' | 'leaves'> = { status: 0, error: undefined, leaves: ['x.tar'] }

const ignored: FaultCase[] = [
  {
    name: 'SIGPIPE, which ends nothing',
    at: POINTS['before its first bytes'] as FaultPoint,
    during: (_, running) => running.kill('SIGPIPE'),
    ...isComplete,
  },
  {
    name: 'a second signal, which ends it at once',
    older: true,
    at: POINTS['before its first bytes'] as FaultPoint,
    args: ({ store, outfile }) => ['dump', '-q', '--store', store, outfile],
    during: (_, running) => {
      running.kill('SIGTERM')
      running.kill('SIGINT')
    },
    status: 130,
    error: /^flux-ts dump: interrupted by SIG(TERM|INT)$/,
  },
]

function toStdout(format: string): NonNullable<FaultCase['args']> {
  return ({ store }) => ['dump', '-q', '--store', store, '--format', format, '-']
}

const stdout: FaultCase[] = [
  ...['tar', 'tgz', 'tar.bz2', 'tar.xz', 'tar.zst', 'zip', 'cpio', 'iso'].map((format) => ({
    name: `${format} when it is full`,
    args: toStdout(format),
    stdio: ['ignore', '/dev/full', 'pipe'] as const,
    status: 1,
    error: /^flux-ts dump: cannot write standard output: No space left on device$/,
  })),
  {
    name: 'tar when it is closed',
    args: toStdout('tar'),
    stdio: ['ignore', 'closed', 'pipe'],
    status: 1,
    error: /^flux-ts dump: cannot write standard output: it is closed; > \/dev\/null throws it away$/,
  },
  ...['tar', 'zip'].map((format) => ({
    name: `${format} when nobody reads it, without a word`,
    args: toStdout(format),
    through: () => ['bash', '-c', 'set -o pipefail; "$@" | true', 'bash'],
    status: 1,
    error: undefined,
  })),
  {
    name: 'a tar to a file, when it is closed',
    stdio: ['ignore', 'closed', 'pipe'],
    ...isComplete,
  },
  {
    name: 'a summary as JSON when it is full, though the archive is written',
    args: ({ store, outfile }) => ['dump', '--json', '--store', store, outfile],
    stdio: ['ignore', '/dev/full', 'pipe'],
    status: 1,
    error: /^flux-ts dump: cannot write standard output: No space left on device.*$/,
    leaves: ['x.tar'],
  },
  {
    name: 'jobs as CSV when it is full',
    args: ({ store }) => ['jobs', 'export', '--quiet', '--store', store, '--format', 'csv', '-'],
    stdio: ['ignore', '/dev/full', 'pipe'],
    status: 1,
    error: /^flux-ts jobs export: cannot write standard output: No space left on device.*$/,
  },
]

/** Commands that print, and what they get after their name. */
const PRINTING: Record<string, (scene: Scene) => string[]> = {
  diff: ({ store }) => [fixture('basic'), store],
  'diff --json': ({ store }) => ['--json', fixture('basic'), store],
  jobs: ({ store }) => ['-a', '--store', store],
  'jobs export': ({ store }) => ['--quiet', '--store', store, '--format', 'ndjson', '-'],
  'jobs stats': ({ store }) => ['--store', store],
  'kvs ls': ({ store }) => ['-R', '--store', store],
  'kvs dir': ({ store }) => ['-R', '--store', store],
  'kvs get': ({ store }) => ['--store', store, 'resource.R'],
  du: ({ store }) => ['--store', store],
  'fsck --json': ({ store }) => ['--json', '--store', store],
  report: ({ store }) => ['--text', '--store', store],
  'archive info': ({ store }) => [join(store, 'dump.tgz')],
  'content roots': ({ store }) => ['--store', store],
  'completion bash': () => [],
}
const printed: FaultCase[] = Object.entries(PRINTING).map(([command, args]) => ({
  name: `what ${command} prints, when it is full`,
  args: (scene) => [...command.split(' '), ...args(scene)],
  stdio: ['ignore', '/dev/full', 'pipe'],
  // That of diff says whether there are differences: 1 if there are, 2 when it cannot know.
  status: command.startsWith('diff') ? 2 : 1,
  error: new RegExp(
    `^flux-ts ${command.replace(/ (--json|bash)/, '')}: cannot write standard output: No space left on device.*$`,
  ),
}))

const stderr: FaultCase[] = [
  ...(['closed', '/dev/full'] as const).flatMap((way) => [
    {
      name: `an archive, when it is ${way}`,
      args: ({ store, outfile }: Scene) => ['dump', '-v', '--store', store, outfile],
      stdio: ['ignore', 'pipe', way] as const,
      ...isComplete,
    },
    {
      name: `an error, when it is ${way}`,
      prepare: ({ outfile }: Scene) => {
        mkdirSync(outfile)
        return undefined
      },
      stdio: ['ignore', 'pipe', way] as const,
      status: 1,
      error: undefined,
      check: (_: Scene, outcome: { stdout: Buffer }) => void expect(outcome.stdout).to.have.length(0),
    },
  ]),
  {
    name: 'an archive, when all three are closed',
    stdio: ['closed', 'closed', 'closed'],
    ...isComplete,
  },
]

faultMatrix('a dump that a signal ends', [...files, ...formats])
faultMatrix('another output that a signal ends', [...others, ...exports])
faultMatrix('a dump that a signal does not reach', ignored)
faultMatrix('output to a standard output that fails', [...stdout, ...printed])
faultMatrix('output with a standard error that fails', stderr)
