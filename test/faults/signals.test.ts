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
}

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
  ...['tar', 'tgz', 'zip', 'cpio', 'iso'].map((format) => ({
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

faultMatrix('a dump that a signal ends', files)
faultMatrix('another output that a signal ends', others)
faultMatrix('a dump that a signal does not reach', ignored)
faultMatrix('output to a standard output that fails', stdout)
faultMatrix('output with a standard error that fails', stderr)
