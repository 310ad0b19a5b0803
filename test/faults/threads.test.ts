/** Threads and programs that die under a command: an error, and never a short archive. */
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultCase, faultMatrix } from '../support/fault-case.ts'
import { fixture } from '../support/fixtures.ts'
import { asNobody, canBeNobody, inThreads } from '../support/held-fault.ts'
import { fakeProgram, fluxTs, has } from '../support/processes.ts'

/** Commands that have work done in a thread. */
const THREADED: Record<string, Pick<FaultCase, 'args' | 'fixture' | 'outfile' | 'older'>> = {
  'a dump of content.files': { fixture: 'files', older: true },
  'a dump to a zip': { outfile: 'x.zip', older: true },
  'a restore': {
    outfile: 'x.sqlite',
    args: ({ store, outfile }) => ['restore', '-q', '--store', outfile, join(store, 'dump.tgz')],
  },
  'an fsck of content.files': { fixture: 'files', args: ({ store }) => ['fsck', '-q', '--store', store] },
}

for (const [what, parts] of Object.entries(THREADED)) {
  faultMatrix(`${what} whose thread`, [
    {
      ...parts,
      name: 'ends at once',
      env: () => inThreads('exit'),
      status: 1,
      error: /^flux-ts [a-z]+: .*: its thread ended.*$/,
    },
    // A small zip is one message for its thread.
    ...(parts.outfile === 'x.zip'
      ? []
      : [
          {
            ...parts,
            name: 'ends later',
            env: () => inThreads('exit', 1),
            status: 1,
            error: /^flux-ts [a-z]+: .*: its thread ended.*$/,
          },
        ]),
    {
      ...parts,
      name: 'throws what nobody catches',
      env: () => inThreads('throw'),
      status: 1,
      error: /^flux-ts [a-z]+: .*made to throw.*$/,
    },
    {
      ...parts,
      name: 'runs out of memory',
      env: () => inThreads('memory'),
      status: 1,
      error: /^flux-ts [a-z]+: .*(its heap is full|memory).*$/,
    },
  ])
}

/** What becomes of a program that compresses. */
const DEATHS: Record<string, [script: string, error: RegExp]> = {
  'is killed': ['kill -9 $$', /was killed by SIGKILL/],
  'ends with status 3': ['exit 3', /failed: exit status 3/],
  'ends well and writes nothing': ['cat >/dev/null', /failed: it /],
  'writes half': ['cat >/dev/null; printf "\\375\\067zXZ\\000"', /failed: it /],
  'closes its input': ['exec <&-; exit 1', /failed: exit status 1/],
  'has no word but an error': ['echo "no memory" >&2; exit 1', /failed: no memory/],
}
/** bzip2 is asked first whether it is the real one. */
const VERSION =
  'case $1 in --help) echo "bzip2, a block-sorting file compressor.  Version 1.0.8, 13-Jul-2019." >&2; exit 0;; esac\n'
for (const [outfile, program] of [
  ['x.tar.xz', 'xz'],
  ['x.tar.bz2', 'bzip2'],
] as const) {
  if (!has(program)) continue
  faultMatrix(
    `a dump to ${outfile} whose ${program}`,
    Object.entries(DEATHS).map(
      ([name, [script, error]]): FaultCase => ({
        name,
        outfile,
        older: true,
        env: () => ({ PATH: `${fakeProgram(program, VERSION + script)}:${process.env.PATH}` }),
        status: 1,
        error: new RegExp(`^flux-ts dump: .*${program} ${error.source}.*$`),
      }),
    ),
  )
}

/** What becomes of ssh. */
const SSH_DEATHS: Record<string, string> = {
  'is killed': 'kill -9 $$',
  'ends at once': 'exit 255',
  'ends well at once': 'exit 0',
  'says something else': 'printf garbage; exit 0',
}
faultMatrix(
  'a dump through ssh, which',
  Object.entries(SSH_DEATHS).map(
    ([name, script]): FaultCase => ({
      name,
      older: true,
      args: ({ outfile }) => ['dump', '-q', '--uri', 'ssh://host/run/flux/local', outfile],
      env: () => ({ FLUX_SSH: join(fakeProgram('ssh', script), 'ssh') }),
      status: 1,
      error: /^flux-ts dump: .*$/,
    }),
  ),
)

if (canBeNobody) {
  faultMatrix('a user who may have 12 threads', [
    {
      name: 'gets a whole archive, or one line',
      prepare: (scene) => void asNobody(scene),
      through: (scene) => ['prlimit', '--nproc=12', '--core=0', ...asNobody(scene)],
      status: 0,
      error: undefined,
      leaves: ['x.tar'],
      check: ({ outfile }) =>
        expect(fluxTs(['archive', 'verify', '--store', fixture('jobs'), outfile])).to.include({
          status: 0,
          stderr: '',
        }),
    },
    {
      name: 'and one less is told that no thread can be started',
      fixture: 'files',
      older: true,
      prepare: (scene) => void asNobody(scene),
      through: (scene) => ['prlimit', '--nproc=11', '--core=0', ...asNobody(scene)],
      status: 1,
      error:
        /^flux-ts dump: .*: cannot start a thread to work on it: Resource temporarily unavailable; raise the limit on .*$/,
    },
  ])
}
