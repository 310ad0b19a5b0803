/** What the package is to those who write TypeScript: its types, their comments, and the examples in the documents. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { scratch } from './support/fixtures.ts'
import { installInto } from './support/hosts.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/** As strict as there is, and looking into the types of the package too, as a program may. */
const STRICT = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noUnusedLocals: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/** A program in TypeScript that has the package and Node.js, and nothing else. */
function program(files: Record<string, string>): string {
  const dir = scratch()
  const modules = join(dir, 'node_modules')
  mkdirSync(modules)
  installInto(modules)
  symlinkSync(join(ROOT, 'node_modules/@types'), join(modules, '@types'))
  const all = { 'package.json': '{"type":"module"}', ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(dir, name), text)
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT, files: Object.keys(files) }))
  return dir
}

/** What the compiler has to say. */
function check(files: Record<string, string>): string {
  const { stdout, stderr } = spawnSync(process.execPath, [TSC, '-p', '.'], { cwd: program(files), encoding: 'utf8' })
  return stdout + stderr
}

/** The examples in TypeScript, or in JavaScript that is TypeScript too, of the documents. */
function examples(): Record<string, string> {
  const files: Record<string, string> = {}
  const documents = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)]
  for (const document of documents.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, code = ''] of text.matchAll(/^```(?:[jt]sx?|javascript|typescript)\n(.*?)^```/gms)) {
      files[`${document.replaceAll(/\W/g, '-')}-${Object.keys(files).length}.ts`] = `${code}\nexport {}\n`
    }
  }
  return files
}

describe('the types of the package', () => {
  it('are what the examples in README and docs say, in strict TypeScript', () => {
    const files = examples()
    expect(Object.keys(files)).to.have.length.above(2)
    expect(check(files)).to.equal('')
  })

  it('let a mistake be found', () => {
    const code = `import { resolveRoot, openStore } from 'flux-ts'
const { timestamp } = await resolveRoot(await openStore('x'))
console.log(timestamp * 1000)
`
    expect(check({ 'mistake.ts': code })).to.include('TS18048')
  })

  it('are all exported, and all have a comment', () => {
    const typedoc = join(ROOT, 'tools/typedoc/node_modules/typedoc/bin/typedoc')
    const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    expect(stdout + stderr).to.equal('')
    expect(status).to.equal(0)
  })
})
