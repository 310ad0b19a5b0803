/**
 * Dumps an instance many times in a row while it works, and looks for what leaks: `npm run soak -- --dumps 200`. It needs a
 * real Flux on PATH, and is not part of `npm test`. {@link HELP} says what it does and when it fails.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { BrokerStore } from '../../src/content/index.ts'
import { Dump } from '../../src/dump/index.ts'
import { Export } from '../../src/export/index.ts'
import { jobs } from '../../src/inspect/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { cleanEnv, fluxTsAside } from '../support/processes.ts'
import { Flatness, figuresOf, ownFigures } from './figures.ts'

const HELP = `usage: npm run soak -- [--dumps N] [--form cli|library|export]...

Starts an instance of a real Flux. Before each dump it commits a key and runs a job; before each tenth it also makes a
checkpoint, collects garbage with "flux gc" and drops the cache of contents.

  --dumps N     rounds of each form (default: 200); "export" runs five times as many
  --form NAME   only this form; may be given more than once:
      cli       "flux-ts dump" as a process; the broker is measured
      library   the library in this process; this process and the broker are measured
      export    jobs are added to an existing database; the result must equal a full export

Each archive is verified: "flux-ts archive verify --root ROOT --uri URI" for the first two forms. After the first fifth of
the rounds, descriptors, sockets and threads may not grow, nor may the memory of this process by more than 16 MB. The memory
of the broker grows with its jobs, so it is only printed, beside that of as many rounds without a dump.
Exits 1 if something grows, or if an archive or an export is not what it must be.`

const { values } = parseArgs({
  options: {
    dumps: { type: 'string', default: '200' },
    form: { type: 'string', multiple: true, default: ['cli', 'library', 'export'] },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const rounds = Number(values.dumps)
const isUsable = Number.isSafeInteger(rounds) && rounds >= 3 && values.form.every((form) => form in FORMS())
if (values.help || !isUsable) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

function FORMS() {
  return { cli, library, export: exports }
}

interface Instance {
  uri: string
  pid: number
  run(...args: string[]): Promise<string>
}

const base = mkdtempSync(join(tmpdir(), 'flux-ts-soak-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))

/** Run `flux` with these arguments, in the instance. @throws {Error} it failed */
async function flux(uri: string, args: readonly string[]): Promise<string> {
  const child = spawn('flux', args, { env: cleanEnv({ FLUX_URI: uri }), stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`flux ${args.join(' ')}: exit ${status}`)
  return Buffer.concat(chunks).toString().trim()
}

/** One round of what an instance does, so that each dump has another root. */
async function work({ run }: Instance, round: number): Promise<void> {
  await run('kvs', 'put', `soak.key${round % 50}=${`${round} `.repeat(100)}`)
  await run('submit', '--quiet', '--wait', '--setattr=system.exec.test.run_duration=0.001s', 'true')
  if (round % 10 === 0) {
    await run('kvs', 'sync')
    await run('gc')
    await run('content', 'dropcache')
  }
}

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

async function verify(file: string, root: string, uri: string): Promise<void> {
  const { status, stderr } = await fluxTsAside(['archive', 'verify', '--root', root, '--uri', uri, file])
  assert(status === 0, `archive verify ${file}: exit ${status}: ${stderr}`)
}

/** As many rounds without a dump, so that the growth of the broker can be compared. */
async function control(instance: Instance): Promise<void> {
  const flat = new Flatness('broker, no dumps', () => figuresOf(instance.pid), rounds)
  for (let round = 0; round < rounds; round++) {
    await work(instance, round)
    flat.record()
  }
  flat.report({ memory: false })
}

async function cli(instance: Instance): Promise<void> {
  await control(instance)
  const flat = new Flatness('broker, cli', () => figuresOf(instance.pid), rounds)
  for (let round = 0; round < rounds; round++) {
    await work(instance, round)
    const file = join(base, 'cli.tgz')
    const { status, stdout, stderr } = await fluxTsAside(['dump', '--json', '--uri', instance.uri, file])
    assert(status === 0, `dump: exit ${status}: ${stderr}`)
    await verify(file, (JSON.parse(stdout.toString()) as { rootref: string }).rootref, instance.uri)
    rmSync(file)
    flat.record()
  }
  flat.report({ memory: false })
}

async function library(instance: Instance): Promise<void> {
  const broker = new Flatness('broker, library', () => figuresOf(instance.pid), rounds)
  const own = new Flatness('this process, library', ownFigures, rounds)
  for (let round = 0; round < rounds; round++) {
    await work(instance, round)
    const outfile = join(base, `library${['.tar', '.tgz', '.zip', '.tar.bz2'][round % 4]}`)
    let rootref: string
    {
      await using store = await BrokerStore.open(instance.uri)
      const { snapshot } = await new Dump({ store, outfile }).run()
      rootref = snapshot.rootref
    }
    await verify(outfile, rootref, instance.uri)
    rmSync(outfile)
    broker.record()
    own.record()
  }
  broker.report({ memory: false })
  own.report({ memory: true })
}

async function exportJobs(uri: string, path: string, append: boolean): Promise<void> {
  await using store = await BrokerStore.open(uri)
  const snapshot = await resolveRoot(store, {})
  await using exporting = await Export.open({ path, append })
  for await (const batch of jobs(snapshot, { keepRecords: true })) await exporting.add(batch)
  await exporting.commit()
}

/** All rows of all tables, in an order of their own. */
function contentOf(path: string): string {
  using database = new DatabaseSync(path, { readOnly: true })
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  return JSON.stringify(
    names.map(({ name }) => [
      name,
      database
        .prepare(`SELECT * FROM "${name}"`)
        .all()
        .map((row) => JSON.stringify(row))
        .sort(),
    ]),
  )
}

async function exports(instance: Instance): Promise<void> {
  const path = join(base, 'history.sqlite')
  const full = join(base, 'full.sqlite')
  const own = new Flatness('this process, export', ownFigures, rounds * 5)
  for (let round = 0; round < rounds * 5; round++) {
    // Most runs find nothing new, as most runs of a timer do.
    if (round % 10 === 0) await work(instance, round)
    await exportJobs(instance.uri, path, true)
    own.record()
  }
  own.report({ memory: true })
  await exportJobs(instance.uri, full, false)
  assert(contentOf(path) === contentOf(full), 'the database of many exports is not that of one')
  const [grown, made] = [statSync(path).size, statSync(full).size]
  console.log(`database of ${rounds * 5} exports: ${grown} bytes; of one export: ${made} bytes`)
  assert(grown <= made * 1.5 + 65_536, 'the database of many exports is much larger than that of one')
}

assert(spawnSync('flux', ['version'], { stdio: 'ignore' }).status === 0, 'flux is not on PATH')
// It lives for as long as its standard input is open.
const child = spawn(
  'flux',
  ['start', `-Sstatedir=${base}`, 'sh', '-c', 'echo $FLUX_URI $(flux getattr broker.pid); exec cat'],
  { env: cleanEnv(), stdio: ['pipe', 'pipe', 'inherit'] },
)
const exited = once(child, 'exit')
try {
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('flux start failed'))),
  ])) as [Buffer]
  const [uri, pid] = line.toString().trim().split(' ') as [string, string]
  const instance = { uri, pid: Number(pid), run: (...args: string[]) => flux(uri, args) }
  // "flux gc" of 0.88.0 collects the empty directory, of which a job's namespace is made, unless some key refers to it.
  await instance.run('kvs', 'mkdir', 'soak.empty')
  for (const form of values.form) await FORMS()[form as keyof ReturnType<typeof FORMS>](instance)
} finally {
  child.stdin.end()
  await exited
}
