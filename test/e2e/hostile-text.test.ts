/** What a user can write into a KVS never reaches a terminal as it is. */
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { type JobMade, jobsTree, MIDNIGHT } from '../support/job-trees.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'
import { Terminal } from '../support/terminal.ts'
import { Blobs, dir, raw, symlink, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

/** Sets the title of the window, rings, clears the screen in two ways, and reverses the text. */
const HOSTILE = '\u001b]0;owned\u0007\u009b2J\u001b[2J\u202e'
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const REACHED = /\u001b\]0;|\u0007|\u009b|\u001b\[2J|\u202e/

const ID = '16777216'

const JOB: JobMade = {
  id: BigInt(ID),
  name: `app${HOSTILE}`,
  nodelist: `node${HOSTILE}`,
  system: { queue: `queue${HOSTILE}`, bank: `bank${HOSTILE}` },
  events: [
    { name: 'exception', context: { type: `type${HOSTILE}`, severity: 0, userid: 1, note: `note${HOSTILE}` } },
    { name: `event${HOSTILE}`, context: { [`member${HOSTILE}`]: HOSTILE } },
  ],
}

const OUTPUT = [
  { timestamp: MIDNIGHT, name: 'header', context: { version: 1, encoding: {}, count: {}, options: {} } },
  { timestamp: MIDNIGHT, name: 'data', context: { stream: 'stdout', rank: '0', data: `out${HOSTILE}\n` } },
  { timestamp: MIDNIGHT, name: 'redirect', context: { stream: 'stderr', rank: '0', path: `/tmp/${HOSTILE}` } },
]

/** The directory of the only job in a tree. */
function lastDirectory(tree: Record<string, Tree>): Record<string, Tree> {
  const [first] = Object.values(tree)
  return first !== undefined && 'entries' in first ? lastDirectory(first.entries) : tree
}

function hostileStore(): { store: string; blobref: string } {
  const jobs = jobsTree([JOB])
  const guest = { output: valref(OUTPUT.map((line) => `${JSON.stringify(line)}\n`).join('')) }
  Object.assign(lastDirectory(jobs), {
    note: val(`note${HOSTILE}`),
    [`record${HOSTILE}`]: val(`record${HOSTILE}`),
    link: symlink(`target${HOSTILE}`),
    guest: dir({ ...guest, [`record${HOSTILE}`]: val(HOSTILE) }),
  })
  const blobs = new Blobs()
  const blobref = blobs.store(HOSTILE)
  const rootref = blobs.tree({
    ...jobs,
    value: valref(HOSTILE),
    eventlog: val(`${JSON.stringify({ timestamp: 1, name: HOSTILE, context: { [HOSTILE]: HOSTILE } })}\n`),
    link: symlink(HOSTILE, HOSTILE),
    [HOSTILE]: dir({ [`key${HOSTILE}`]: val(HOSTILE) }),
    [`lost${HOSTILE}`]: raw('valref', [`sha1-${'0'.repeat(40)}`]),
  })
  const store = join(scratch(), 'content.sqlite')
  writeSqlite(store, blobs, [rootref, blobs.tree({ other: val(HOSTILE) })])
  return { store, blobref }
}

/** The command line that is tried on a terminal, and what it must show. */
interface Run {
  what: string
  args: string[]
  shows?: RegExp
}

/** STORE, ARCHIVE and DIR stand for paths, BLOBREF for the blobref of a hostile blob. */
const ROOT = ['--store', 'STORE', '--checkpoint-index', '0']
const RUNS: Run[] = [
  { what: 'a value', args: ['kvs', 'get', ...ROOT, 'value'], shows: /\\x1b\]0;owned/ },
  { what: 'a value with its key', args: ['kvs', 'get', '--label', ...ROOT, 'eventlog'], shows: /eventlog=/ },
  { what: 'a tree object', args: ['kvs', 'get', '--treeobj', ...ROOT, 'link'], shows: /symlink/ },
  { what: 'names', args: ['kvs', 'ls', '-R', ...ROOT, '.'], shows: /lost\\x1b/ },
  { what: 'names and values', args: ['kvs', 'dir', '-R', ...ROOT], shows: /\\x1b/ },
  { what: 'a link', args: ['kvs', 'readlink', ...ROOT, 'link'], shows: /\\x1b/ },
  { what: 'an eventlog', args: ['kvs', 'eventlog', 'get', ...ROOT, 'eventlog'], shows: /x1b|u001b/ },
  { what: 'an eventlog for people', args: ['kvs', 'eventlog', 'get', '-H', ...ROOT, 'eventlog'], shows: /x1b|u001b/ },
  { what: 'a key that is not there', args: ['kvs', 'get', ...ROOT, `no${HOSTILE}`], shows: /no\\x1b/ },
  { what: 'jobs', args: ['jobs', '-a', ...ROOT], shows: /app\\x1b/ },
  {
    what: 'chosen fields of jobs',
    args: ['jobs', '-a', '-o', '{id} {name} {queue} {bank} {exception.type} {exception.note} {nodelist}', ...ROOT],
    shows: /note\\x1b/,
  },
  { what: 'jobs as JSON', args: ['jobs', '-a', '--json', ...ROOT], shows: /app\\u001b/ },
  { what: 'jobs as CSV', args: ['jobs', 'export', '--format', 'csv', ...ROOT, '-'], shows: /app\\x1b/ },
  { what: 'jobs as NDJSON', args: ['jobs', 'export', '--format', 'ndjson', ...ROOT, '-'], shows: /app\\/ },
  { what: 'a job', args: ['job', 'get', ...ROOT, ID], shows: /out\\x1b/ },
  { what: 'the output of a job', args: ['job', 'get', '--record', 'stdout', ...ROOT, ID], shows: /out\\x1b/ },
  { what: 'where the output went', args: ['job', 'get', '--record', 'stderr', ...ROOT, ID], shows: /went to/ },
  { what: 'a record of a job', args: ['job', 'get', '--record', 'note', ...ROOT, ID], shows: /note\\x1b/ },
  { what: 'a blob', args: ['content', 'load', '--store', 'STORE', 'BLOBREF'], shows: /\\x1b/ },
  { what: 'sizes', args: ['du', ...ROOT], shows: /\\x1b/ },
  { what: 'damage', args: ['fsck', '--verbose', ...ROOT.slice(0, 2)], shows: /lost\\x1b/ },
  { what: 'differences', args: ['diff', 'STORE@0', 'STORE@1'], shows: /\\x1b/ },
  { what: 'a dump', args: ['dump', '--verbose', '--ignore-failed-read', ...ROOT, 'DIR/y.tar'], shows: /\\x1b/ },
  { what: 'an archive', args: ['archive', 'info', 'ARCHIVE'], shows: /keys:/ },
  { what: 'a restore', args: ['restore', '--verbose', '--store', 'DIR/new.sqlite', 'ARCHIVE'], shows: /\\x1b/ },
  { what: 'a command that does not exist', args: [`no${HOSTILE}`], shows: /no\\x1b/ },
  { what: 'a flag that does not exist', args: ['dump', `--no${HOSTILE}`], shows: /no\\x1b/ },
  {
    what: 'a store that does not exist',
    args: ['dump', '--store', `/none${HOSTILE}`, 'DIR/y.tar'],
    shows: /none\\x1b/,
  },
]

/** Run a command on a terminal. @returns what came out */
async function shownBy(args: readonly string[], DEBUG = ''): Promise<{ raw: string; text: string }> {
  const dirname = scratch()
  const { store, blobref } = hostileStore()
  const archive = join(dirname, 'x.tar')
  if (args.includes('ARCHIVE')) {
    const dumped = fluxTs(['dump', '--ignore-failed-read', '--store', store, '--checkpoint-index', '0', archive])
    expect(dumped.status, dumped.stderr).to.equal(0)
  }
  const words = args.map((word) => {
    const meant = word.replace('STORE', store).replace('ARCHIVE', archive).replace('DIR', dirname)
    return `'${meant.replace('BLOBREF', blobref)}'`
  })
  const command = `'${process.execPath}' '${CLI}' ${words.join(' ')}`
  await using terminal = new Terminal(command, { env: cleanEnv({ TERM: 'xterm', DEBUG }), cwd: dirname, columns: 200 })
  await terminal.ended()
  return { raw: terminal.raw, text: terminal.text }
}

describe('hostile text on a terminal', () => {
  for (const { what, args, shows } of RUNS) {
    it(`is escaped in ${what}`, async () => {
      const { raw: out, text } = await shownBy(args)
      if (shows) expect(text).to.match(shows)
      expect(out).not.to.match(REACHED)
    })
  }

  it('is escaped in the stack of an error', async () => {
    const { raw: out, text } = await shownBy(['dump', '--store', `/none${HOSTILE}`, 'DIR/y.tar'], 'none')
    expect(text).to.match(/\n +at /)
    expect(out).not.to.match(REACHED)
  })

  it('is as it was stored where it goes to a file or another program', () => {
    const { store, blobref } = hostileStore()
    const job = fluxTs(['job', 'get', '--record', 'stdout', '--store', store, '--checkpoint-index', '0', ID])
    expect(job.stdout.toString()).to.equal(`out${HOSTILE}\n`)
    expect(fluxTs(['content', 'load', '--store', store, blobref]).stdout.toString()).to.equal(HOSTILE)
  })
})

describe('e2e: names of a megabyte', () => {
  const name = 'n'.repeat(1 << 20)
  let at: { store: string; out: string }

  beforeEach(() => {
    at = { store: join(scratch(), 'content.sqlite'), out: join(scratch(), 'out') }
    const blobs = new Blobs()
    const lost = raw('valref', [`sha1-${'0'.repeat(40)}`])
    writeSqlite(at.store, blobs, [blobs.tree({ [name]: lost, [`${name} ${name}`]: lost })])
  })

  const longest = (text: string) => Math.max(...text.split('\n').map(({ length }) => length))

  it('are cut in messages, which say what is wrong all the same', () => {
    for (const argv of [['dump', '-q', `${at.out}.tar`], ['fsck'], ['rescue', '--out', at.out]]) {
      const { status, stderr, stdout } = fluxTs([...argv, '--store', at.store])
      expect(status, argv[0]).to.equal(argv[0] === 'rescue' ? 0 : 1)
      expect(longest(stderr), argv[0]).to.be.lessThan(1100)
      if (argv[0] !== 'rescue') expect(stderr).to.match(/n … \([0-9,]+ characters\) … n+: missing blobref/)
      expect(longest(stdout.toString()), argv[0]).to.be.lessThan(1100)
    }
  })

  it('are whole in JSON', () => {
    const { stdout } = fluxTs(['dump', '-q', `${at.out}.tar`, '--json', '--store', at.store])
    expect(JSON.parse(stdout.toString()).error.message).to.match(new RegExp(`^n{${1 << 20}}: missing blobref 0`))
  })
})
