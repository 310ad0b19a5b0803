/** The package as it is published. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { build } from 'esbuild'
import { fixture, scratch } from './support/fixtures.ts'
import { Host, installInto, packedPackage } from './support/hosts.ts'
import { run } from './support/processes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

describe('the packed package', () => {
  it('holds what runs, its types and its documents, and nothing else', () => {
    const { files, size } = packedPackage()
    const paths = files.map(({ path }) => path)
    const rest = paths.filter(
      (path) =>
        !/^(dist\/.*\.(js|js\.map|d\.ts)|bundle\/.*\.(js|js\.map)|docs\/.*\.(md|schema\.json)|man\/.*\.1)$/.test(path),
    )
    expect(rest).to.have.members([
      'bin/run.js',
      'bundle/LICENSES.txt',
      'bundle/oclif.manifest.json',
      'bundle/package.json',
      'bundle/report/page/script.txt',
      'bundle/report/page/style.txt',
      'dist/report/page/script.txt',
      'dist/report/page/style.txt',
      'CHANGELOG.md',
      'LICENSE',
      'oclif.manifest.json',
      'package.json',
      'README.md',
      'sbom.cdx.json',
    ])
    // Two thirds is what every user of the library, the plugin and the threads needs; a third is the bundle.
    expect(size).to.be.lessThan(3_500_000)
  })

  it('has the script and the style of a report, which are small', () => {
    const { files } = packedPackage()
    for (const folder of ['dist', 'bundle']) {
      const assets = files.filter(({ path }) => path.startsWith(`${folder}/report/page/`))
      expect(assets).to.have.length(2)
      const bytes = assets.reduce((sum, { path }) => sum + statSync(join(ROOT, path)).size, 0)
      expect(bytes).to.be.within(20_000, 100_000)
    }
  })

  it('has all that its package.json speaks of', () => {
    const { files } = packedPackage()
    const paths = files.map(({ path }) => `./${path}`)
    const { bin, main, types, exports, man, oclif } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const named = JSON.stringify([bin, main, types, exports, man, oclif]).match(/"\.\/[^"]+\.\w+"/g) ?? []
    expect(named).to.have.length.above(20)
    for (const name of named) expect(paths).to.include(JSON.parse(name))
  })

  it('has a bill of materials of what is installed with it and of what is in its bundle, the same each time', () => {
    const installed = installInto(join(scratch(), 'node_modules'))
    const text = readFileSync(join(installed, 'sbom.cdx.json'), 'utf8')
    const bom = JSON.parse(text)
    expect(bom).to.include({ bomFormat: 'CycloneDX' }).and.not.have.property('serialNumber')
    expect(bom.metadata.component).to.include({ name: 'flux-ts' })
    const listed = (bom.components as { name: string; version: string }[]).map((each) => `${each.name} ${each.version}`)
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const names = new Set(listed.map((each) => each.slice(0, each.lastIndexOf(' '))))
    expect([...names]).to.include.members(Object.keys(dependencies))
    const licenses = readFileSync(join(installed, 'bundle/LICENSES.txt'), 'utf8')
    const bundled = [...licenses.matchAll(/^(\S+ \d+\.\d+\.\S+): /gm)].map(([, each = '']) => each)
    expect(bundled).to.have.length.above(30)
    // npm installs none of these: they are part of the page of a report.
    const script = readFileSync(join(installed, 'dist/report/page/script.txt'), 'utf8')
    const inPage = bundled.filter((each) => script.includes(each))
    expect(inPage.map((each) => each.split(' ')[0])).to.include.members(['d3-array', 'd3-hierarchy', 'd3-time'])
    const nameOf = (each: string) => each.slice(0, each.lastIndexOf(' '))
    const development = Object.keys(devDependencies).filter((name) => !inPage.map(nameOf).includes(name))
    for (const name of development) expect(names.has(name), name).to.equal(false)
    expect(listed).to.include.members(bundled)
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
    const production = Object.entries(packages as Record<string, { dev?: boolean; version?: string }>).flatMap(
      ([path, { dev, version }]) =>
        path === '' || dev || version === undefined ? [] : [`${path.split('node_modules/').at(-1)} ${version}`],
    )
    expect(new Set(listed)).to.deep.equal(new Set([...production, ...inPage]))
    const dir = scratch()
    run(process.execPath, [join(ROOT, 'tools/sbom.js'), dir])
    expect(readFileSync(join(dir, 'sbom.cdx.json'), 'utf8')).to.equal(text)
    expect(text).not.to.contain(ROOT)
  })

  it('has source maps that hold their sources', () => {
    const modules = join(scratch(), 'node_modules')
    const dist = join(installInto(modules), 'dist')
    const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
    expect(scripts).to.have.length.above(100)
    for (const script of scripts) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, `${script}.map`), 'utf8'))
      expect(sources).to.have.length(1)
      const source = readFileSync(join(ROOT, 'src', script.replace(/\.js$/, '.ts')), 'utf8')
      expect(sourcesContent, script).to.deep.equal([source])
    }
    const code = "import { parseBlobref } from 'flux-ts'\nparseBlobref('x')\n"
    writeFileSync(join(modules, '../example.mjs'), code)
    const args = ['--enable-source-maps', join(modules, '../example.mjs')]
    expect(spawnSync(process.execPath, args).stderr.toString()).to.match(/\bsrc\/content\/blobref\.ts:\d+:\d+/)
  })

  it('has no module that does something when it is imported, as sideEffects says: but threads, which nobody imports', () => {
    expect(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))).to.include({ sideEffects: false })
    const dist = join(ROOT, 'dist')
    const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
    const texts = new Map(names.map((name) => [name, readFileSync(join(dist, name), 'utf8')]))
    const acts = names.filter((name) => /^(await )?(?!import|export)[\w$.]+\(.*\{?$/m.test(texts.get(name) ?? ''))
    expect(acts).to.include('content/reader-thread.js')
    for (const name of names) {
      for (const [, specifier] of (texts.get(name) ?? '').matchAll(/(?:from|import\(?) ?'(\.[^']+)'/g)) {
        expect(acts, `imported by ${name}`).not.to.include(join(name, '..', specifier as string))
      }
    }
  })

  it('is a library that does without oclif', () => {
    const dir = scratch()
    const modules = join(dir, 'node_modules')
    mkdirSync(modules)
    installInto(modules)
    for (const name of ['@oclif', 'listr2']) rmSync(join(modules, name), { recursive: true })
    const store = fixture('basic', 'content.sqlite')
    const code = `import { openStore, resolveRoot } from 'flux-ts'
const store = await openStore(${JSON.stringify(store)})
console.log((await resolveRoot(store)).rootref)
await store.close()
`
    writeFileSync(join(dir, 'example.mjs'), code)
    expect(run(process.execPath, [join(dir, 'example.mjs')]).toString()).to.match(/^sha1-[0-9a-f]{40}\n$/)
  })

  it('is a library that a bundler may take in, or leave where it is: its threads are found, or done without', async () => {
    const dir = scratch()
    const modules = join(dir, 'node_modules')
    mkdirSync(modules)
    const installed = installInto(modules)
    const program = `import { Dump, openStore } from 'flux-ts'
await using store = await openStore(process.argv[2])
console.log((await new Dump({ store, outfile: process.argv[3] }).run()).keys)
`
    writeFileSync(join(dir, 'program.mjs'), program)
    const store = join(ROOT, 'examples/statedir')
    const bundled = async (name: string, external: string[]) => {
      const outfile = join(dir, name)
      const banner = {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
      }
      const entryPoints = [join(dir, 'program.mjs')]
      await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', banner, external })
      return (archive: string) => run(process.execPath, [outfile, store, join(dir, archive)]).toString()
    }
    const outside = await bundled('outside.mjs', ['flux-ts'])
    expect(outside('a.tar')).to.match(/^\d+\n$/)
    // It is made by threads alone.
    expect(outside('a.zip')).to.equal(outside('b.tar'))
    const inside = await bundled('inside.mjs', [])
    rmSync(installed, { recursive: true })
    expect(inside('c.tar')).to.match(/^\d+\n$/)
    expect(readFileSync(join(dir, 'c.tar'))).to.deep.equal(readFileSync(join(dir, 'a.tar')))
  })

  it('is linked and installed by plugin-plugins', () => {
    // npm fetches what oclif's plugin needs.
    const oclif = { plugins: ['@oclif/plugin-plugins'] }
    const host = new Host(scratch(), { oclif, bare: true })
    rmSync(join(host.dir, 'node_modules'), { recursive: true })
    const npm = 'npm install --silent --prefer-offline --no-audit --no-fund --ignore-scripts'
    run('sh', ['-c', `cd '${host.dir}' && ${npm} --save-exact @oclif/core@5 @oclif/plugin-plugins@7.0.0`])
    const modules = join(scratch(), 'node_modules')
    mkdirSync(modules)
    const dump = ['dump', '--store', fixture('basic', 'content.sqlite')]

    const linked = host.run(['plugins', 'link', installInto(modules), '--no-install'])
    expect(linked.status, linked.stderr).to.equal(0)
    expect(host.run([...dump, 'linked.tar'], { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }).stderr).to.match(
      /^host dump: archived \d+ keys\n$/,
    )
    expect(host.run(['plugins', 'unlink', 'flux-ts']).status).to.equal(0)
    expect(host.run([...dump, 'none.tar']).stderr).to.match(/command dump not found/)

    const installed = host.run(['plugins', 'install', `file:${packedPackage().tarball}`])
    expect(installed.status, installed.stderr).to.equal(0)
    expect(host.run([...dump, 'installed.tar']).stderr).to.match(/^host dump: archived \d+ keys\n$/)
    expect(host.list()).to.include.members(['linked.tar', 'installed.tar']).and.not.include('none.tar')
  })
})
