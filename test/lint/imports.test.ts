import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')

const ALLOWED: [file: string, specifier: string][] = [
  ['src/commands/x.ts', '../cli/index.ts'],
  ['src/commands/x.ts', '@oclif/core'],
  ['src/cli/x.ts', '../dump/index.ts'],
  ['src/dump/x.ts', '../archive/index.ts'],
  ['src/dump/x.ts', '../kvs/index.ts'],
  ['src/dump/tasks.ts', 'listr2'],
  ['src/kvs/x.ts', '../content/index.ts'],
  ['src/content/broker/x.ts', '../../flux/index.ts'],
  ['src/flux/x.ts', '../bytes/index.ts'],
  ['src/archive/formats/x.ts', '../../bytes/index.ts'],
  ['src/archive/formats/zip/x.ts', '../../../bytes/index.ts'],
  ['src/archive/formats/zip/x.ts', '../../sink.ts'],
  ['src/bytes/x.ts', '../errors/index.ts'],
  ['src/files/x.ts', '../errors/index.ts'],
  ['src/archive/formats/x.ts', '../../files/index.ts'],
  ['src/content/sqlite/x.ts', '../../files/index.ts'],
  ['src/threads/x.ts', '../errors/index.ts'],
  ['src/content/x.ts', '../threads/index.ts'],
  ['src/archive/formats/x.ts', '../../threads/index.ts'],
]

const REFUSED: [file: string, specifier: string][] = [
  ['src/errors/x.ts', '../bytes/index.ts'],
  ['src/errors/x.ts', '../files/index.ts'],
  ['src/bytes/x.ts', '../content/index.ts'],
  ['src/bytes/x.ts', '../files/index.ts'],
  ['src/files/x.ts', '../bytes/index.ts'],
  ['src/files/x.ts', '../archive/index.ts'],
  ['src/archive/x.ts', '../files/part-file.ts'],
  ['src/bytes/x.ts', '../threads/index.ts'],
  ['src/threads/x.ts', '../bytes/index.ts'],
  ['src/threads/x.ts', '../content/index.ts'],
  ['src/flux/x.ts', '../content/index.ts'],
  ['src/flux/x.ts', '../kvs/index.ts'],
  ['src/content/x.ts', '../kvs/index.ts'],
  // The broker store alone sees flux/.
  ['src/content/x.ts', '../flux/index.ts'],
  ['src/content/sqlite/x.ts', '../../flux/index.ts'],
  ['src/content/files/x.ts', '../../kvs/index.ts'],
  ['src/kvs/x.ts', '../archive/index.ts'],
  ['src/kvs/x.ts', '../flux/index.ts'],
  ['src/archive/x.ts', '../kvs/index.ts'],
  ['src/archive/formats/x.ts', '../../content/index.ts'],
  ['src/dump/x.ts', '../cli/index.ts'],
  ['src/dump/x.ts', '../flux/index.ts'],
  ['src/cli/x.ts', '../commands/dump.ts'],
  // A room is entered by its door.
  ['src/dump/x.ts', '../archive/sink.ts'],
  ['src/archive/formats/x.ts', '../../bytes/chunk-writer.ts'],
  ['src/archive/formats/zip/x.ts', '../../../bytes/chunk-writer.ts'],
  // Who knows oclif and listr2.
  ['src/dump/dump.ts', 'listr2'],
  ['src/dump/dump.ts', '@oclif/core'],
  ['src/kvs/x.ts', '@oclif/core'],
  ['src/commands/x.ts', 'listr2'],
]

/** For each case a file in a copy of the tree, named for it. */
function caseFile(file: string, n: number): string {
  return join(dirname(file), `case-${n}.ts`)
}

describe('import directions', () => {
  const cases = [...ALLOWED, ...REFUSED]
  let objections: string[]

  before(() => {
    const dir = scratch()
    copyFileSync(join(ROOT, 'biome.json'), join(dir, 'biome.json'))
    copyFileSync(join(ROOT, '.gitignore'), join(dir, '.gitignore'))
    cases.forEach(([file, specifier], n) => {
      const path = join(dir, file === 'src/dump/tasks.ts' ? file : caseFile(file, n))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `import { x } from '${specifier}'\n\nx()\n`)
    })
    const args = [BIOME, 'lint', '--only=style/noRestrictedImports', '--reporter=github', '--max-diagnostics=200', '.']
    const { stdout } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' })
    objections = [...stdout.matchAll(/title=lint\/style\/noRestrictedImports,file=([^,]+),/g)].map(([, file]) =>
      relative(dir, file as string),
    )
  })

  cases.forEach(([file, specifier], n) => {
    if (n < ALLOWED.length) {
      it(`let ${file} import ${specifier}`, () => {
        expect(objections).not.to.include(file === 'src/dump/tasks.ts' ? file : caseFile(file, n))
      })
    } else {
      it(`keep ${file} from importing ${specifier}`, () => {
        expect(objections).to.include(caseFile(file, n))
      })
    }
  })

  /** Whether biome.json is what the table of rooms says. */
  function check(file: string) {
    const args = [join(ROOT, 'tools/import-rules.js'), '--check', file]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    return { status, stderr }
  }

  it('are those of the table of rooms', () => {
    expect(check(join(ROOT, 'biome.json'))).to.deep.equal({ status: 0, stderr: '' })
    const changed = join(scratch(), 'biome.json')
    writeFileSync(changed, readFileSync(join(ROOT, 'biome.json'), 'utf8').replace('"**/kvs/**",', ''))
    const { status, stderr } = check(changed)
    expect(status).to.equal(1)
    expect(stderr).to.match(/^biome\.json: .*npm run import-rules.*\n$/)
  })

  it('are there for every room', () => {
    const config = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8')) as { overrides: { includes: string[] }[] }
    const ruled = config.overrides.flatMap(({ includes }) => includes)
    for (const { name } of readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((each) =>
      each.isDirectory(),
    )) {
      expect(ruled).to.include(`src/${name}/**`)
    }
  })
})
