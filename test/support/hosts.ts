/** The package as it is published, installed: by itself, and as a plugin of a tool that is made for the test. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnv, type Finished, run } from './processes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OCLIF = join(ROOT, 'node_modules/oclif/bin/run.js')

interface PackageJson {
  name: string
  files: string[]
  dependencies: Record<string, string>
}

const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson

export interface Packed {
  dir: string
  tarball: string
  filename: string
  /** Bytes of the tarball. */
  size: number
  files: { path: string; size: number }[]
}

/** What the script `prepack` makes besides the build. */
const MADE = ['/man', '/sbom.cdx.json']

let packed: Packed | undefined

/** Pack the package, with a manifest of the commands that there are. It is done once, and kept to the end of the tests. */
export function packedPackage(): Packed {
  if (packed) return packed
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-packed-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  const source = join(dir, 'source')
  for (const name of ['package.json', 'README.md', 'LICENSE', ...pjson.files.filter((name) => !MADE.includes(name))]) {
    cpSync(join(ROOT, name), join(source, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'))
  run('sh', ['-c', `cd '${source}' && '${process.execPath}' '${OCLIF}' manifest`])
  run(process.execPath, [join(ROOT, 'tools/man.js'), source])
  run(process.execPath, [join(ROOT, 'tools/sbom.js'), source])
  const script = `cd '${source}' && npm pack --ignore-scripts --json --pack-destination '${dir}'`
  // npm 12 gives an object with the packages by their names, npm 11 a list.
  const listed = JSON.parse(run('sh', ['-c', script]).toString()) as Record<string, Omit<Packed, 'dir' | 'tarball'>>
  const [{ filename, files, size }] = Object.values(listed) as [Omit<Packed, 'dir' | 'tarball'>]
  packed = { dir, tarball: join(dir, filename), filename, size, files }
  return packed
}

/** Unpack the package into a `node_modules`, beside links to what it depends on. */
export function installInto(modules: string): string {
  const target = join(modules, pjson.name)
  mkdirSync(target, { recursive: true })
  run('tar', ['xzf', packedPackage().tarball, '-C', target, '--strip-components=1'])
  for (const name of Object.keys(pjson.dependencies)) {
    if (name.includes('/')) mkdirSync(join(modules, name.split('/')[0] as string), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  return target
}

export interface HostOptions {
  /** Further members of `oclif` in its package.json. */
  oclif?: object
  /** Files of it, by their paths. */
  files?: Record<string, string>
  /** Without the package: it is to be added by the test. */
  bare?: boolean
}

/** A tool of somebody else's. */
export class Host {
  readonly dir: string
  readonly env: Record<string, string>

  /** @param dir - an empty directory */
  constructor(dir: string, { oclif = {}, files = {}, bare = false }: HostOptions = {}) {
    this.dir = dir
    const modules = join(dir, 'node_modules')
    mkdirSync(modules)
    if (bare) mkdirSync(join(modules, '@oclif'), { recursive: true })
    if (bare) symlinkSync(join(ROOT, 'node_modules/@oclif/core'), join(modules, '@oclif/core'))
    else installInto(modules)
    const plugins = bare ? [] : [pjson.name]
    const all: Record<string, string> = {
      'package.json': JSON.stringify({
        name: 'a-host',
        version: '3.2.1',
        type: 'module',
        dependencies: { '@oclif/core': '*', ...Object.fromEntries(plugins.map((name) => [name, '*'])) },
        oclif: { bin: 'host', dirname: 'host', commands: './commands', topicSeparator: ' ', plugins, ...oclif },
      }),
      'bin/run.js': `import { execute } from '@oclif/core'\nawait execute({ dir: import.meta.url })\n`,
      'commands/hello.js': `import { Command } from '@oclif/core'
export default class Hello extends Command {
  static summary = 'Greet'
  async run() {
    await this.parse(Hello)
    this.log('hello')
  }
}
`,
      ...files,
    }
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(join(dir, path, '..'), { recursive: true })
      writeFileSync(join(dir, path), text)
    }
    this.env = cleanEnv({ HOME: dir, XDG_DATA_HOME: join(dir, 'data'), XDG_CACHE_HOME: join(dir, 'cache') })
  }

  run(args: readonly string[], env: Record<string, string> = {}): Finished {
    const options = { cwd: this.dir, env: { ...this.env, ...env }, maxBuffer: 1 << 28 }
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['bin/run.js', ...args], options)
    return { status, signal, stdout, stderr: stderr.toString() }
  }

  /** What is in one of its directories. */
  list(path = '.'): string[] {
    return readdirSync(join(this.dir, path))
  }
}
