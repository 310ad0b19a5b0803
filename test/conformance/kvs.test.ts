/** `kvs` beside the real `flux kvs`: the same words on standard output and the same exit status for the same arguments. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { runInProcess } from '../support/in-process.ts'
import { type Instance, type InstanceKind, instanceKinds } from '../support/instances.ts'
import { type Outcome, runAside } from '../support/processes.ts'
import { ASKS_REAL, Recorded } from '../support/recorded.ts'
import { Blobs, dir, symlink, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const EVENTS = [
  '{"timestamp":1700000000.25,"name":"submit","context":{"userid":5588,"urgency":16,"flags":0,"version":1}}\n',
  '{"timestamp":1700000001.5,"name":"x","context":{"real":1.0,"third":0.1,"id":9007199254740993,"n":null}}\n' +
    '{"timestamp":1700000059,"name":"exception","context":{"note":"a \\"b\\" é","o":{"a":[1, 2.5e10, true]}}}\n',
  '{"timestamp":1700000060,"name":"clean"}\n',
]

const ENTRIES: Record<string, Tree> = {
  small: val('hello'),
  nothing: val(''),
  nul: val('a\0b'),
  'nul-first': val('\0b'),
  lines: val('one\ntwo\n'),
  line: val('one\n'),
  large: valref(Buffer.alloc(300_000, 'x')),
  parts: valref('one ', 'two ', 'one '),
  'with space': val('x'),
  é: val('umlaut'),
  link: symlink('a.b.c'),
  dirlink: symlink('a'),
  dangling: symlink('no.where'),
  loop: symlink('loop'),
  elsewhere: symlink('x', 'other'),
  nowhere: symlink('x', 'none'),
  empty: dir({}),
  a: dir({ b: dir({ c: val('deep'), l: symlink('small') }), d: dir({ e: val('z') }), f: val('of a') }),
  log: valref(...EVENTS),
  'log-bad': val('{"timestamp":1,"name":"ok"}\nnonsense\n'),
  'log-cut': val('{"timestamp":1,"name":"ok"}\n{"timest'),
  'log-open': val('{"timestamp":1,"name":"ok"}'),
}

const blobs = new Blobs()
const main = blobs.tree(ENTRIES)
const other = blobs.tree({ x: val('of another namespace') })

const AT = `{"data":["${main}"],"type":"dirref","ver":1}`
const AT_OTHER = `{"data":["${other}"],"type":"dirref","ver":1}`
const INLINE = '{"data":{"x":{"data":"eA==","type":"val","ver":1}},"type":"dir","ver":1}'

/** Of `flux kvs`. */
const TABLE: string[][] = [
  ...[
    'small',
    'nothing',
    'nul',
    'nul-first',
    'lines',
    'large',
    'parts',
    'link',
    'elsewhere',
    'a.b.c',
    '.a..b.c.',
  ].flatMap((key) => [
    ['get', key],
    ['get', '--raw', key],
    ['get', '--label', key],
  ]),
  ...['with space', 'é', 'dirlink.b.c'].map((key) => ['get', key]),
  ...['small', 'nothing', 'large', 'parts', 'link', 'elsewhere', 'a', '.', 'empty', 'dirlink.b'].flatMap((key) => [
    ['get', '--treeobj', key],
    ['get', '-tl', key],
  ]),
  ...['nosuch', 'a', '.', 'empty', 'small.x', 'dangling', 'loop', 'nowhere', 'dirlink', ''].map((key) => ['get', key]),
  ['get', '-t', 'nosuch'],
  ['get', '-S', 'parts'],
  ['get', '-S', '-r', 'large'],
  ['get', '-S', 'nothing'],
  ['get', '-S', 'nosuch'],
  ['get', '-W', 'small'],
  ['get', '-w', '-c', '1', 'small'],
  ['get', '-w', '-l', '-c', '1', 'parts'],
  ['get', '-w', '-A', '-c', '3', 'parts'],
  ['get', '-w', '-t', '-c', '1', 'link'],
  ['get', '-w', '-c', '1', 'nosuch'],
  ['get', '-w', '-c', '1', 'a'],
  ['get', '-a', AT, 'small', 'link', 'parts'],
  ['get', '-rlt', '--at', AT, 'a', 'link', '.'],
  ['get', '-a', AT_OTHER, 'x'],
  ['get', '-a', AT_OTHER, 'small'],
  ['get', '-a', '{}', 'small'],
  ['get', '-a', 'nonsense', 'small'],
  ['get', '-a', INLINE, 'x'],
  ['dir', '-R', '-a', AT, 'a'],
  ['dir', '-a', AT_OTHER],
  ['readlink', '-a', AT, 'link', 'dirlink'],
  ['readlink', '-a', AT_OTHER, 'link'],
  ['get', 'small', 'link', 'parts'],
  ['get', 'small', 'nosuch', 'parts'],
  ['ls'],
  ['ls', '.'],
  ['ls', '-1'],
  ['ls', '--1', '-F'],
  ['ls', '-F'],
  ['ls', '-w', '40'],
  ['ls', '-w0'],
  ['ls', '-w', '1'],
  ['ls', '-d'],
  ['ls', '-dF'],
  ['ls', '-R'],
  ['ls', '-RF1'],
  ['ls', 'a'],
  ['ls', 'a.'],
  ['ls', 'a..'],
  ['ls', '-R', 'a'],
  ['ls', '-R', '.a.'],
  ['ls', '-R', 'a..b'],
  ['ls', '-d', 'a.', '.small'],
  ['ls', 'a', 'a.b'],
  ['ls', 'a', 'small', 'a.b', 'link'],
  ['ls', '-F', 'a', 'small', 'a.b', 'link'],
  ['ls', '-d', 'a', 'small', 'a.b', 'link'],
  ['ls', '-dF', 'a', 'small', 'a.b', 'dirlink'],
  ['ls', 'dirlink'],
  ['ls', '-R', 'dirlink'],
  ['ls', 'dangling', 'elsewhere'],
  ['ls', 'empty'],
  ['ls', 'empty', 'a'],
  ['ls', 'small'],
  ['ls', 'small.'],
  ['ls', 'link.'],
  ['ls', 'nosuch'],
  ['ls', 'nosuch', 'a', 'small.x'],
  ['ls', 'loop'],
  ['dir'],
  ['dir', '.'],
  ['dir', '-d'],
  ['dir', '-R'],
  ['dir', '-Rd'],
  ['dir', '-w', '20'],
  ['dir', '-w', '3', 'a'],
  ['dir', '-w', '0', 'a'],
  ['dir', '-w', '9', 'a.b'],
  ['dir', 'a'],
  ['dir', '-R', 'a'],
  ['dir', '-R', 'a.'],
  ['dir', '-Rd', 'a.'],
  ['dir', 'a..'],
  ['dir', '.a'],
  ['dir', '-R', '..a'],
  ['dir', '..'],
  ['dir', 'small.'],
  ['dir', 'a.b'],
  ['dir', 'dirlink'],
  ['dir', '-R', 'dirlink'],
  ['dir', 'empty'],
  ['dir', '-R', 'empty'],
  ['dir', 'small'],
  ['dir', 'nosuch'],
  ['dir', 'a', 'b'],
  ['readlink', 'link'],
  ['readlink', 'elsewhere'],
  ['readlink', '-o', 'elsewhere'],
  ['readlink', '-o', 'link'],
  ['readlink', '-k', 'elsewhere'],
  ['readlink', '-ok', 'elsewhere', 'link'],
  ['readlink', 'link', 'dirlink', 'loop', 'dangling'],
  ['readlink', '.link.'],
  ['readlink', 'small'],
  ['readlink', 'a'],
  ['readlink', 'nosuch'],
  ['readlink', 'link', 'small', 'dirlink'],
  ['getroot'],
  ['getroot', '-b'],
  ['getroot', '-s'],
  ['getroot', '-sb'],
  ['getroot', '-N', 'other'],
  ['getroot', '-N', 'none'],
  ['version'],
  ['version', '-N', 'none'],
  ['wait', '0'],
  ['wait', '-N', 'none', '0'],
  ['eventlog', 'get', 'log'],
  ['eventlog', 'get', '-u', 'log'],
  ['eventlog', 'get', '--unformatted', '--color=never', 'log'],
  ['eventlog', 'get', '-H', 'log'],
  ['eventlog', 'get', '--human', '-L', 'log'],
  ['eventlog', 'get', '-L', 'log'],
  ['eventlog', 'get', '-Lauto', 'log'],
  ['eventlog', 'get', '--color', 'log'],
  ['eventlog', 'get', '--color=always', 'log'],
  ['eventlog', 'get', '-S', '-u', 'log'],
  ['eventlog', 'get', '-w', '-c', '3', 'log'],
  ['eventlog', 'get', 'log-bad'],
  ['eventlog', 'get', 'log-cut'],
  ['eventlog', 'get', 'log-open'],
  ['eventlog', 'get', 'nothing'],
  ['eventlog', 'get', 'nosuch'],
  ['eventlog', 'get', 'a'],
  ['eventlog', 'wait-event', 'log', 'submit'],
  ['eventlog', 'wait-event', '-v', 'log', 'clean'],
  ['eventlog', 'wait-event', '-vH', 'log', 'clean'],
  ['eventlog', 'wait-event', '-q', 'log', 'clean'],
  ['eventlog', 'wait-event', '-qv', 'log', 'exception'],
  ['eventlog', 'wait-event', '-u', 'log', 'exception'],
  ['eventlog', 'wait-event', '-t', '50ms', 'log', 'never'],
  ['eventlog', 'wait-event', '-t', '1m', 'log', 'x'],
  ['eventlog', 'wait-event', 'nosuch', 'x'],
  ['eventlog', 'wait-event', 'log-bad', 'x'],
  ['eventlog', 'wait-event', 'log-open', 'x'],
  ['eventlog', 'wait-event', 'small', 'x'],
]

/** What only a live instance answers. */
const LIVE_ONLY = new Set(['version', 'wait', 'getroot', '-W', '-w', '-S', '-N', '-t', 'elsewhere', 'nowhere'])

/** What an archive is asked too, which takes longer to open. */
const OF_ARCHIVE = new Set([
  'get small link parts',
  'get --raw large',
  'get nosuch',
  'ls -F a small a.b link',
  'ls -R a',
  'dir -R a',
  'dir nosuch',
  'readlink link dirlink loop dangling',
  'eventlog get log',
  'eventlog wait-event -v log clean',
])

/** What is wrong usage here, with a status of its own. */
const WRONG_USAGE = new Set(['dir a b', 'get -a {} small', 'get -a nonsense small', `get -a ${INLINE} x`])

describe('conformance kvs', () => {
  const real = new Recorded('kvs')
  const files = mkdtempSync(join(tmpdir(), 'flux-ts-test-'))
  const store = join(files, 'content.sqlite')
  const archive = join(files, 'dump.tar')
  let instance: Instance

  before(async () => {
    const kind = instanceKinds().find(({ isReal }) => isReal === ASKS_REAL) as InstanceKind
    instance = await kind.start({ blobs, namespaces: { main, other }, checkpoints: [] })
    writeSqlite(store, blobs, [main])
    expect((await runInProcess(['dump', '-q', '--store', store, archive])).status).to.equal(0)
  })
  after(async () => {
    real.save()
    await instance[Symbol.asyncDispose]()
    rmSync(files, { recursive: true, force: true })
  })

  const env = () => ({ FLUX_URI: instance.uri, FLUX_KVS_NAMESPACE: 'main', TZ: 'UTC', COLUMNS: '80' })
  const words = ({ status, stdout }: Outcome) => ({ status, stdout: stdout.toString('latin1') })

  for (const args of TABLE) {
    const sources = ['live']
    if (!args.some((arg) => LIVE_ONLY.has(arg))) sources.push('store')
    if (OF_ARCHIVE.has(args.join(' '))) sources.push('archive')
    it(`flux kvs ${args.join(' ')}: ${sources.join(', ')}`, async () => {
      const wanted = words(await real.answer(args, () => runAside('flux', ['kvs', ...args], env())))
      if (WRONG_USAGE.has(args.join(' '))) wanted.status = 2
      for (const source of sources) {
        const flags = source === 'live' ? [] : [`--${source}`, source === 'store' ? store : archive]
        expect(words(await runInProcess(['kvs', ...args, ...flags], env())), source).to.deep.equal(wanted)
      }
    })
  }
})
