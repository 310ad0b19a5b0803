import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { BrokerDouble } from './support/broker-double.ts'
import { expected, fixture, scratch } from './support/fixtures.ts'
import { CLI, cleanEnv, fluxTs, run } from './support/processes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OCLIF = join(ROOT, 'node_modules/oclif/bin/run.js')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

interface Manifest {
  version: string
  commands: Record<string, ManifestCommand>
}

/** A package in package-lock.json, or a link to one that is in this project. */
interface Locked {
  link?: boolean
  resolved?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

interface ManifestCommand {
  id: string
  hidden: boolean
  summary: string
  description: string
  examples: { command: string }[]
}

/** A directory where the project's examples are at hand, `flux-ts` is on PATH, and `import 'flux-ts'` finds it. */
function workplace(cwd = scratch()): { cwd: string; env: Record<string, string> } {
  mkdirSync(join(cwd, 'bin'))
  mkdirSync(join(cwd, 'node_modules'))
  writeFileSync(join(cwd, 'bin/flux-ts'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 })
  symlinkSync(join(ROOT, 'examples'), join(cwd, 'examples'))
  symlinkSync(ROOT, join(cwd, 'node_modules/flux-ts'))
  // What examples of reading an archive read.
  cpSync(fixture('jobs', 'dump.tgz'), join(cwd, 'kvs.tgz'))
  return { cwd, env: cleanEnv({ PATH: `${join(cwd, 'bin')}:${process.env.PATH}`, LC_ALL: 'C.UTF-8' }) }
}

/** The package as it is built, where oclif may write. It follows links to the original. */
function packageCopy(): string {
  const dir = scratch()
  for (const name of ['package.json', 'oclif.manifest.json', 'dist'])
    cpSync(join(ROOT, name), join(dir, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
  return dir
}

/** Run a script in a workplace with a live instance at hand. @returns its standard output; throws when it fails */
async function shell(script: string, place = workplace()): Promise<string> {
  await using broker = await BrokerDouble.start({
    content: join(ROOT, 'examples/statedir/content.sqlite'),
    namespaces: { primary: { rootref: expected('jobs').rootref } },
  })
  const { cwd, env } = place
  const args = ['-c', `set -eo pipefail\n${script}`]
  const child = spawn('bash', args, { cwd, env: { ...env, FLUX_URI: broker.uri }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray())
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${script}: exit ${status}: ${(await stderr)?.join('')}`)
  return ((await stdout) ?? []).join('')
}

/** The files of a directory. */
function pages(dir: string): Record<string, string> {
  const names = readdirSync(dir).filter((name) => name.endsWith('.md'))
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), 'utf8')]))
}

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code as string)
}

describe('the package', () => {
  const committed = readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')
  const manifest = JSON.parse(committed) as Manifest

  it('has a manifest that says what the commands say', () => {
    const dir = packageCopy()
    run('sh', ['-c', `cd '${dir}' && '${process.execPath}' '${OCLIF}' manifest`])
    expect(JSON.parse(readFileSync(join(dir, 'oclif.manifest.json'), 'utf8'))).to.deep.equal(manifest)
  })

  it('has a command reference that says what the commands say, wherever it is made', () => {
    const dir = packageCopy()
    mkdirSync(join(dir, 'docs'))
    writeFileSync(join(dir, 'README.md'), readme)
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    // As wide as the terminal of whoever runs it.
    run('sh', ['-c', `cd '${dir}' && export COLUMNS=60 PATH="$PWD/node_modules/.bin:$PATH" && ${scripts.readme}`])
    expect(readFileSync(join(dir, 'README.md'), 'utf8')).to.equal(readme)
    const [made, committed] = [dir, ROOT].map((root) => pages(join(root, 'docs/commands')))
    expect(made).to.deep.equal(committed)
    const topics = Object.values(manifest.commands).filter(({ hidden }) => !hidden)
    expect(Object.keys(made ?? {})).to.include.members(topics.map(({ id }) => `${id.split(':')[0]}.md`))
  })

  it('says its version, as package.json has it', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect(fluxTs(['--version']).stdout.toString()).to.match(new RegExp(`^flux-ts/${version} `))
    expect(manifest.version).to.equal(version)
  })

  it('names no place, person or proof that there is not', () => {
    const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(pjson.author).to.equal('flux-ts')
    for (const name of ['repository', 'bugs', 'homepage']) expect(pjson).not.to.have.property(name)
    expect(pjson.publishConfig).to.deep.equal({ access: 'public' })
  })

  it('needs no more than one line to say that Node.js is too old', () => {
    const source = readFileSync(CLI, 'utf8')
    const dir = scratch()
    const old = source.replace('process.versions.node', "'20.20.2'").replace('process.version}', "'v20.20.2'}")
    expect(old).not.to.equal(source)
    writeFileSync(join(dir, 'run.mjs'), old)
    const script = `'${process.execPath}' '${dir}/run.mjs' dump x.tar 2>&1; echo "exit $?"`
    expect(run('sh', ['-c', script]).toString()).to.match(
      /^flux-ts: Node\.js 22\.20 or newer is required, but this is v20\.20\.2 \(.*\)\nexit 1\n$/,
    )
  })

  for (const { id, summary, description, examples } of Object.values(manifest.commands)) {
    const name = id.replaceAll(':', ' ')

    it(`documents ${name} with a summary, a description and examples`, () => {
      for (const text of [summary, description]) expect(text).to.be.a('string').that.is.not.empty
      expect(examples).not.to.be.empty
      const { stdout, status } = fluxTs([...name.split(' '), '-h'])
      expect(status).to.equal(0)
      expect(stdout.toString()).to.include(summary).and.include('EXAMPLES')
    })

    for (const { command } of examples) {
      const line = command.replaceAll('<%= config.bin %>', 'flux-ts').replaceAll('<%= command.id %>', name)
      it(`runs the example of its help: ${line}`, async () => {
        await shell(line.replaceAll('/var/lib/flux', 'examples/statedir'))
      })
    }
  }
})

describe('README', () => {
  // A command may read what an earlier one wrote.
  let place: ReturnType<typeof workplace>
  before(() => {
    place = workplace(mkdtempSync(join(tmpdir(), 'flux-ts-readme-')))
  })
  after(() => rmSync(place.cwd, { recursive: true }))
  const scripts = blocks('sh')
  let done = 0
  for (const [index, script] of scripts.entries()) {
    it(`has commands that work: ${script.trim().split('\n').at(-1)}`, async () => {
      while (done <= index) await shell(scripts[done++] as string, place)
    })
  }

  it('has a run line that ends with the archive of the example store', async () => {
    const line = /^ {4}npm ci && npx (flux-ts .*)$/m.exec(readme)?.[1] as string
    const listed = (await shell(line)).trim().split('\n')
    const { entries } = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/jobs/expected.json'), 'utf8')) as {
      entries: unknown[]
    }
    expect(listed).to.have.length(entries.length)
  })

  it('names the test command that CI runs', () => {
    const line = /^ {4}(npm ci && npm test)$/m.exec(readme)?.[1]
    expect(readFileSync(join(ROOT, '.ci/run'), 'utf8').trimEnd().split('\n').at(-1)).to.equal(line)
  })

  it('has an example of the library that runs, 20 lines long or little more', () => {
    const [code] = blocks('js') as [string]
    const { cwd } = workplace()
    writeFileSync(join(cwd, 'example.mjs'), code)
    const script = `cd '${cwd}' && '${process.execPath}' example.mjs && tar tf eventlogs.tar`
    const [checkpoint, count, ...members] = run('sh', ['-c', script]).toString().trim().split('\n')
    expect(checkpoint).to.match(/^checkpoint sha1-[0-9a-f]{40} of \d{4}-/)
    expect(count).to.equal(`${members.length} eventlogs`)
    expect(members.length).to.be.greaterThan(40)
    expect(code.trimEnd().split('\n').length).to.be.lessThan(26)
  })

  it('is short, and names only pages that there are', () => {
    expect(readme.trimEnd().split('\n').length).to.be.at.most(350)
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path as string)
    expect(links).to.include('docs/environment.md').and.include('docs/commands/dump.md')
    for (const link of links) expect(existsSync(join(ROOT, link)), link).to.equal(true)
  })
})

describe('docs/environment.md', () => {
  it('describes once each variable that the program asks for, and no other page does', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    const asked = sources.flatMap((text) => [
      ...[...text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)].map(([, name]) => name as string),
      // By a parameter, or taken out of an environment with others.
      ...[...text.matchAll(/envNumber\(\w+, '(\w+)'/g)].map(([, name]) => name as string),
      ...[...text.matchAll(/const \{([^}]*)\} = env$/gm)].flatMap(
        ([, names]) => names?.match(/\b[A-Z][A-Z0-9_]+/g) ?? [],
      ),
    ])
    expect(asked).to.include.members(['FLUX_URI', 'FLUX_SSH', 'FLUX_HANDLE_USERID', 'NODE_COMPILE_CACHE'])
    const described = (text: string) =>
      [...text.matchAll(/^\| ((?:`[A-Z0-9_]{2,}`(?:, )?)+) \|/gm)].flatMap(
        ([, cell]) => cell?.match(/[A-Z0-9_]+/g) ?? [],
      )
    const all = described(readFileSync(join(ROOT, 'docs/environment.md'), 'utf8'))
    expect(all).to.have.members([...new Set(all)])
    // Only when nobody has a home or a shell are they filled in.
    expect(all).to.include.members(asked.filter((name) => name !== 'HOME' && name !== 'SHELL'))
    const others = Object.entries({ ...pages(join(ROOT, 'docs')), 'README.md': readme })
    for (const [name, text] of others.filter(([name]) => name !== 'environment.md')) {
      expect(described(text), name).to.deep.equal([])
    }
  })
})

describe('docs/dependencies.md', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages as Record<string, Locked>
  const text = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')

  /** Where Node.js finds a package that another one imports. */
  function found(name: string, importer: string): string | undefined {
    for (let dir = importer; ; dir = dirname(dir)) {
      const path = join(dir, 'node_modules', name)
      if (lock[path]) return lock[path].link ? lock[path].resolved : path
      if (dir === '.') return undefined
    }
  }

  /** What a package brings, itself counted too. */
  function brought(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen
    seen.add(path)
    const { dependencies, optionalDependencies } = lock[path] as Locked
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const next = found(name, path)
      if (next !== undefined) brought(next, seen)
    }
    return seen
  }

  it('names each dependency, with its packages', () => {
    const { dependencies, devDependencies } = lock[''] as Locked
    const wanted = Object.keys({ ...dependencies, ...devDependencies }).map((name) => {
      return `${name} ${brought(found(name, '.') as string).size}`
    })
    const rows = [...text.matchAll(/^\| `([^`]+)` \| (\d+) \| (.+) \| (.*)\|$/gm)]
    expect(rows.map(([, name, packages]) => `${name} ${packages}`)).to.have.members(wanted)
  })

  it('says how many packages a user gets', () => {
    const all = new Set<string>()
    for (const name of Object.keys(lock['']?.dependencies ?? {})) brought(found(name, '.') as string, all)
    expect(/are (\d+) packages/.exec(text)?.[1]).to.equal(String(all.size))
  })
})
