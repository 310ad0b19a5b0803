/** The packed package as a plugin of other tools. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { expected as expectedOf, fixture, scratch } from './support/fixtures.ts'
import { Host, installInto } from './support/hosts.ts'
import { cleanEnv, run } from './support/processes.ts'
import { readTar } from './support/read-tar.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const JOBS = fixture('jobs', 'content.sqlite')
const BASIC = fixture('basic', 'content.sqlite')
const DUMP = ['dump', '--store', BASIC]

/** A hook that writes down what it is told. */
const RECORDER = `import { appendFileSync } from 'node:fs'
export default async function ({ config, context, ...told }) {
  appendFileSync('told.jsonl', JSON.stringify(told, (_, v) => (v instanceof Error ? v.message : v)) + '\\n')
}
`
const EVENTS = ['flux:resolved', 'flux:written', 'flux:failed']

function recording(): Host {
  const hooks = Object.fromEntries(EVENTS.map((event) => [event, './hooks/record.js']))
  return new Host(scratch(), { oclif: { hooks }, files: { 'hooks/record.js': RECORDER } })
}

function told(host: Host): Record<string, unknown>[] {
  const lines = readFileSync(join(host.dir, 'told.jsonl'), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

/** TypeScript of a host's author, compiled against the types in the package. */
function compiled(host: Host, code: string, path: string): void {
  const source = join(host.dir, 'src', path)
  mkdirSync(dirname(source), { recursive: true })
  writeFileSync(source, code)
  symlinkSync(join(ROOT, 'node_modules/@types'), join(host.dir, 'node_modules/@types'))
  const options = { outDir: '..', rootDir: '.', module: 'nodenext', target: 'es2024', strict: true, types: ['node'] }
  const config = {
    compilerOptions: { ...options, noImplicitOverride: true, skipLibCheck: true },
    include: ['.'],
    exclude: [],
  }
  writeFileSync(join(host.dir, 'src/tsconfig.json'), JSON.stringify(config))
  // It tells what is wrong on standard output.
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  run('sh', ['-c', `'${process.execPath}' '${tsc}' -p '${host.dir}/src' >&2`])
}

/** The first block of a language in a text. */
function block(language: string, file: string): string {
  const [, code] =
    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(readFileSync(join(ROOT, file), 'utf8')) ?? []
  return code as string
}

describe('a host tool with the plugin', () => {
  it('dumps, and messages name the host', () => {
    const host = new Host(scratch())
    const { status, stdout, stderr } = host.run([...DUMP, 'x.tar'])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 0, stdout: '' })
    expect(stderr).to.match(/^host dump: archived \d+ keys\n$/)
    expect(readTar(join(host.dir, 'x.tar'))).not.to.be.empty
    expect(host.run(['dump', '--store', '/nonexistent', 'x.tar']).stderr).to.match(/^host dump: /)
  })

  it('says how to use a command, by its own name', () => {
    const host = new Host(scratch())
    const { status, stderr } = host.run(['dump'])
    expect(status).to.equal(2)
    expect(stderr).to.equal(
      "host dump: missing OUTFILE\nUsage: host dump [OPTIONS] OUTFILE\nTry 'host dump --help' for more information.\n",
    )
  })

  it('has the help of the commands, for help, --help and -h', () => {
    const host = new Host(scratch())
    const { status, stdout } = host.run(['help', 'dump'])
    expect(status).to.equal(0)
    expect(stdout.toString()).to.include('$ host dump OUTFILE').and.not.include('flux-ts dump')
    for (const flag of ['--help', '-h']) {
      expect(host.run(['dump', flag]).stdout.toString()).to.include('$ host dump OUTFILE')
    }
  })

  it('looks into the KVS', () => {
    const { status, stdout } = new Host(scratch()).run(['kvs', 'ls', '-1', '--store', JOBS])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({
      status: 0,
      stdout: 'admin\ncheckpoint\njob\nresource\n',
    })
  })

  it('lists each command once, nested ones too', () => {
    const host = new Host(scratch())
    for (const args of [['help'], ['--help'], [], ['help', '--nested-commands']]) {
      const listing = host.run(args).stdout.toString()
      expect(listing.match(/\bdump\b/g), args.join(' ')).to.have.length(1)
      expect(listing, args.join(' ')).not.to.match(/^ {2}flux\b/m)
    }
    expect(host.run(['help', '-n']).stdout.toString()).to.match(/^ {2}kvs namespace list /m)
  })

  it('finds what is below flux for who types it, and lists it there', () => {
    const host = new Host(scratch())
    for (const args of [['flux'], ['help', 'flux'], ['flux', '--help']]) {
      const { status, stdout } = host.run(args)
      expect(status, args.join(' ')).to.equal(0)
      expect(stdout.toString(), args.join(' '))
        .to.match(/^ {2}flux archive +Look at archives$/m)
        .and.match(/^ {2}flux restore +Restore KVS/m)
    }
    for (const args of [
      ['flux', 'kvs'],
      ['help', 'flux', 'kvs'],
      ['flux', 'kvs', '--help'],
    ]) {
      const { status, stdout } = host.run(args)
      expect(status, args.join(' ')).to.equal(0)
      expect(stdout.toString(), args.join(' '))
        .to.match(/^Look into the key-value store$/m)
        .and.match(/^ {2}flux kvs namespace /m)
        .and.match(/^ {2}flux kvs get +Print values of the KVS$/m)
    }
    expect(host.run(['help', 'kvs']).stdout.toString()).not.to.match(/^ {2}flux/m)
  })

  it('keeps its own commands where names clash, and has ours under flux', () => {
    const own = `import { Command } from '@oclif/core'
export default class Dump extends Command {
  async run() { this.log('the own one') }
}
`
    const host = new Host(scratch(), { files: { 'commands/dump.js': own } })
    expect(host.run(['dump']).stdout.toString()).to.equal('the own one\n')
    const { status, stderr } = host.run(['flux', ...DUMP, 'x.tar'])
    expect(status).to.equal(0)
    expect(stderr).to.match(/^host flux dump: archived \d+ keys\n$/)
    expect(host.run(['help', 'flux', 'dump']).stdout.toString()).to.include('$ host flux dump OUTFILE')
    expect(host.run(['flux']).stdout.toString()).to.match(/short ones/)
  })

  it('tells in help which names clash', () => {
    const own = (name: string) => `import { Command } from '@oclif/core'
export default class extends Command { static summary = 'The own ${name}' }
`
    const host = new Host(scratch(), { files: { 'commands/dump.js': own('dump'), 'commands/kvs/ls.js': own('ls') } })
    for (const args of [['help'], ['--help'], []]) {
      const listing = host
        .run(args)
        .stdout.toString()
        .replaceAll(/\n {6,}/g, ' ')
      expect(listing, args.join(' '))
        .to.match(/^ {2}flux +What flux-ts has, and host has its own of: dump, kvs ls$/m)
        .and.match(/^ {2}dump +The own dump$/m)
      expect(listing.match(/flux-ts has/g)).to.have.length(1)
    }
    const nested = host.run(['help', '--nested-commands']).stdout.toString()
    expect(nested)
      .to.match(/^ {2}flux dump +Write KVS snapshot/m)
      .and.match(/^ {2}flux kvs ls +List directories/m)
    expect(nested).not.to.match(/^ {2}flux restore/m)
    // Below it everything is listed, for who looks there.
    expect(host.run(['flux']).stdout.toString()).to.match(/^ {2}flux restore /m)
    expect(host.run(['hello', '--help']).stdout.toString()).not.to.include('flux-ts has')
  })

  it('warns once of a broken plugin of the host, in help of the topic flux too', () => {
    const host = new Host(scratch())
    const path = join(host.dir, 'package.json')
    const pjson = JSON.parse(readFileSync(path, 'utf8'))
    pjson.dependencies = { ...pjson.dependencies, broken: '*' }
    pjson.oclif.plugins.push('broken')
    writeFileSync(path, JSON.stringify(pjson))
    for (const args of [['--help'], ['flux'], ['help', 'flux']]) {
      const { status, stdout, stderr } = host.run(args)
      expect(status, args.join(' ')).to.equal(0)
      expect(stdout.toString(), args.join(' ')).to.match(/Write KVS snapshot/)
      expect(stderr.match(/could not find package\.json/g), args.join(' ')).to.have.length(1)
    }
  })

  it('keeps an autocomplete of its own, and says nothing of it', () => {
    const own = `import { Command } from '@oclif/core'
export default class extends Command {
  static summary = 'The own one'
  async run() { this.log('the own one') }
}
`
    const host = new Host(scratch(), { files: { 'commands/autocomplete.js': own } })
    expect(host.run(['autocomplete']).stdout.toString()).to.equal('the own one\n')
    expect(host.run(['help']).stdout.toString()).not.to.include('flux-ts has')
    // Without one, ours names the host.
    expect(new Host(scratch()).run(['autocomplete']).stdout.toString()).to.include('source <(host completion bash)')
  })

  it('fails as without the plugin when there is no such command', () => {
    const oclif = { plugins: [] }
    const [plain, guest] = [new Host(scratch(), { oclif }), new Host(scratch())].map((host) => host.run(['bogus']))
    expect(guest?.stderr).to.match(/command bogus not found/)
    expect(guest).to.deep.equal(plain)
  })

  it('says which tool writes to the KVS, for words that are below flux', () => {
    const { status, stderr } = new Host(scratch()).run(['flux', 'kvs', 'put', 'a=1'])
    expect({ status, stderr }).to.deep.equal({
      status: 2,
      stderr:
        "host: kvs put: host kvs only reads; use 'flux kvs put'\nUsage: host COMMAND [OPTIONS] ...\nTry 'host help' for more information.\n",
    })
  })

  it('leaves a command that is not found to a hook of its own', () => {
    const late = `export default async function () {
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log('mine')
}
`
    const oclif = { hooks: { command_not_found: './hooks/late.js' } }
    const { status, stdout, stderr } = new Host(scratch(), { oclif, files: { 'hooks/late.js': late } }).run(['bogus'])
    expect({ status, stdout: stdout.toString(), stderr }).to.deep.equal({ status: 0, stdout: 'mine\n', stderr: '' })
  })

  it('says nothing in commands of its own', () => {
    const { stdout, stderr } = new Host(scratch()).run(['hello'])
    expect({ stdout: stdout.toString(), stderr }).to.deep.equal({ stdout: 'hello\n', stderr: '' })
  })

  it('runs its commands on an older Node.js, and says so in one line for ours', () => {
    const older = `Object.defineProperty(process.versions, 'node', { value: '22.13.1' })\n`
    const files = {
      'bin/run.js': `${older}const { execute } = await import('@oclif/core')\nawait execute({ dir: import.meta.url })\n`,
    }
    const host = new Host(scratch(), { files })
    expect(host.run(['hello']).stdout.toString()).to.equal('hello\n')
    const { status, stderr } = host.run([...DUMP, 'x.tar'])
    expect(status).to.equal(1)
    expect(stderr).to.match(/^host: Node\.js 22\.20 or newer is required, but this is v22\.13\.1 \(.*\)\n$/)
  })

  it('prints a completion script for all its commands, by its own name', () => {
    const script = new Host(scratch()).run(['completion', 'bash']).stdout.toString()
    expect(script)
      .to.match(/^complete -F _host host$/m)
      .and.match(/words='[^']*\bdump\b[^']*\bhello\b/)
    // It could not say which keys there are.
    expect(script).to.match(/^ {4}'kvs get'\) .* args='any\.\.\.' ;;$/m)
  })
})

describe('the topic flux', () => {
  it('is as it was for what one process runs after help', () => {
    const bin = `import { Config, run } from '@oclif/core'
import { fileURLToPath } from 'node:url'
const config = await Config.load(fileURLToPath(new URL('..', import.meta.url)))
for (const args of [['help', '-n'], ['flux', 'kvs', 'ls', '-1', '--store', process.env.STORE], ['help', 'flux'], ['help', '-n']]) {
  console.log('== ' + args.slice(0, 2).join(' '))
  await run(args, config)
}
`
    const host = new Host(scratch(), { files: { 'bin/run.js': bin } })
    const { status, stdout, stderr } = host.run([], { STORE: JOBS })
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    const [, first, list, topic, last] = stdout.toString().split(/^== .*\n/m)
    expect(list).to.equal('admin\ncheckpoint\njob\nresource\n')
    expect(topic).to.match(/^ {2}flux restore /m)
    expect(last).to.equal(first)
    expect(last).not.to.match(/^ {2}flux /m)
  })
})

describe('a command of somebody else', () => {
  it('is made as README says, with the types of the package', () => {
    const host = new Host(scratch())
    compiled(host, block('ts', 'README.md'), 'commands/count.ts')
    const args = ['count', '--store', BASIC]
    expect(host.run(args).stdout.toString()).to.match(/^\d+ keys in .*content\.sqlite\n$/)
    const { keys } = JSON.parse(host.run([...args, '--json']).stdout.toString())
    expect(keys).to.equal(expectedOf('basic').entries.length)
    expect(host.run(['count', '--store', '/nonexistent']).stderr).to.match(/^host count: .*\/nonexistent/)
    expect(host.run([...args, '--bogus']).stderr).to.match(/^Usage: host count \[OPTIONS\]$/m)
    // What is no command of this package has no second name.
    expect(host.run(['flux', ...args]).status).to.equal(2)
  })
})

describe('events', () => {
  it('have types, by which a hook is written as docs/plugin.md says', () => {
    const host = new Host(scratch(), { oclif: { hooks: { 'flux:written': './hooks/upload.js' } } })
    mkdirSync(join(host.dir, 'archive'))
    compiled(host, block('ts', 'docs/plugin.md').replace('/mnt/archive', `${host.dir}/archive`), 'hooks/upload.ts')
    const { rootref } = JSON.parse(host.run([...DUMP, '--json', 'x.tar']).stdout.toString())
    expect(host.list('archive')).to.deep.equal([rootref])
  })

  it('tell a host what was resolved and written', () => {
    const host = recording()
    const { stdout } = host.run([...DUMP, '--json', 'x.tgz'])
    const summary = JSON.parse(stdout.toString())
    const [resolved, written, ...more] = told(host)
    expect(more).to.deep.equal([])
    expect(resolved).to.include({ command: 'dump', source: BASIC })
    expect(resolved).to.have.nested.property('snapshot.rootref', summary.rootref)
    expect(written).to.deep.equal({ command: 'dump', summary })
  })

  it('tell of a restore, but not of a dry run', () => {
    const host = recording()
    const archive = fixture('basic', 'dump.tar')
    host.run(['restore', '--dry-run', archive])
    expect(host.list()).not.to.include('told.jsonl')
    const { stdout } = host.run(['restore', '--json', '--store', 'content.sqlite', archive])
    expect(told(host)).to.deep.equal([{ command: 'restore', summary: JSON.parse(stdout.toString()) }])
  })

  it('tell of a failure, with its exit status', () => {
    const host = recording()
    host.run([...DUMP, '--checkpoint-index', '99', 'x.tar'])
    host.run([...DUMP, '--bogus', 'x.tar'])
    const [failed, usage] = told(host)
    expect(failed)
      .to.include({ command: 'dump', exit: 1 })
      .and.have.property('error')
      .that.matches(/checkpoint/)
    expect(usage).to.include({ command: 'dump', exit: 2 })
  })

  for (const event of ['flux:resolved', 'flux:written']) {
    it(`spoil nothing when a hook of ${event} fails: a warning, and exit status 1`, () => {
      const hooks = { [event]: './hooks/fail.js' }
      const files = { 'hooks/fail.js': "export default async () => { throw new Error('no room at the bucket') }\n" }
      const host = new Host(scratch(), { oclif: { hooks }, files })
      const { status, stdout, stderr } = host.run([...DUMP, '--json', 'x.tar'])
      expect(status).to.equal(1)
      expect(stderr).to.equal(`host dump: the ${event} hook of a-host failed: no room at the bucket\n`)
      expect(readTar(join(host.dir, 'x.tar'))).to.have.length(JSON.parse(stdout.toString()).keyCount)
    })
  }

  it('leave the exit status of a failure as it is, whatever its hook does', () => {
    const files = { 'hooks/exit.js': 'export default async function () { this.exit(77) }\n' }
    const host = new Host(scratch(), { oclif: { hooks: { 'flux:failed': './hooks/exit.js' } }, files })
    expect(host.run(['dump', '--bogus']).status).to.equal(2)
  })
})

describe('the package under another name', () => {
  it('knows itself for its own tool', () => {
    const dir = installInto(join(scratch(), 'node_modules'))
    // As if it had been built under that name.
    for (const file of ['package.json', 'bundle/package.json']) {
      const pjson = JSON.parse(readFileSync(join(dir, file), 'utf8'))
      writeFileSync(join(dir, file), JSON.stringify({ ...pjson, name: 'our-flux-ts' }))
    }
    const { status, stderr } = spawnSync(process.execPath, [join(dir, 'bin/run.js'), 'dmp'], { env: cleanEnv() })
    expect({ status, stderr: stderr.toString() }).to.deep.equal({
      status: 2,
      stderr:
        "flux-ts: dmp: no such command; did you mean 'flux-ts dump'?\nUsage: flux-ts COMMAND [OPTIONS] ...\nTry 'flux-ts help' for more information.\n",
    })
  })
})
