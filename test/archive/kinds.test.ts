import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { ARCHIVE_EXTENSIONS, archiveTypeOf } from '../../src/archive/index.ts'
import { KINDS, kindOf, typeOf } from '../../src/archive/kinds.ts'
import { run } from '../support/processes.ts'

describe('archive/kinds', () => {
  it('goes by the longest extension at the end of the name', () => {
    expect(archiveTypeOf('a.tar')).to.deep.equal({ format: 'tar', filter: 'none' })
    expect(archiveTypeOf('/x/a.b.tgz')).to.deep.equal({ format: 'tar', filter: 'gzip' })
    expect(archiveTypeOf('a.tar.gz')).to.deep.equal({ format: 'tar', filter: 'gzip' })
  })

  it('writes an uncompressed tar to standard output', () => {
    expect(archiveTypeOf('-')).to.deep.equal({ format: 'tar', filter: 'none' })
  })

  it('refuses an extension it does not know, and lists those it does', () => {
    for (const name of ['a.foo', 'a', 'a.gz', 'a.TAR', 'tar', 'a.tar.x', '']) {
      expect(() => archiveTypeOf(name), name)
        .to.throw('no known archive extension')
        .with.property('code', 'EINVAL')
    }
    expect(() => archiveTypeOf('a.foo'))
      .to.throw('a.foo: the name has no known archive extension')
      .with.property('hint')
      .that.matches(/^end it in \.tar, \.tgz, \.tar\.gz, .*, in \/ for a directory, or use - for standard output$/)
    expect(() => kindOf('x', 'foo'))
      .to.throw('foo: not a known archive format')
      .with.property('hint')
      .that.matches(/^known are \.tar, \.tgz, \.tar\.gz, /)
  })

  it('says why it does not write 7-Zip', () => {
    const why = '7-Zip archives are not supported: no maintained library writes them'
    expect(() => kindOf('a.7z'))
      .to.throw(`a.7z: ${why}`)
      .with.property('hint')
      .that.matches(/^end it in \.tar, /)
    expect(() => kindOf('x', '7z'))
      .to.throw(`7z: ${why}`)
      .with.property('hint')
      .that.matches(/^known are \.tar, /)
  })

  it('is the table in docs/archives.md', () => {
    const docs = readFileSync(new URL('../../docs/archives.md', import.meta.url), 'utf8')
    const table = /^\| OUTFILE ends in .*\n\|.*\n((?:\|.*\n)+)/m.exec(docs)?.[1] as string
    const rows = table
      .trim()
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map(([, names = '', format, filter, levels]) => ({ names: names.split(', '), format, filter, levels }))
    const listed = new Map<string, (typeof rows)[number]>()
    for (const ending of [...ARCHIVE_EXTENSIONS, '/']) {
      const kind = kindOf(`x${ending}`)
      const { format, filter } = typeOf(kind)
      const range = kind.filter?.levels ?? (kind.format.isDirectory ? undefined : kind.format.levels)
      const row = listed.get(`${format} ${filter}`) ?? {
        names: [],
        format,
        filter: filter === 'none' ? '' : filter,
        levels: range === undefined ? '' : `${range.least} to ${range.most}, usually ${range.usual}`,
      }
      row.names.push(`\`${ending}\``)
      listed.set(`${format} ${filter}`, row)
    }
    expect(rows).to.deep.equal([...listed.values()])
  })

  it('is what docs/json says of formats and filters', () => {
    const terms = JSON.parse(readFileSync(new URL('../../docs/json/terms.schema.json', import.meta.url), 'utf8')).$defs
    expect(terms.format.enum).to.have.members(KINDS.formats.map(({ name }) => name))
    expect(terms.filter.enum).to.have.members(['none', ...KINDS.filters.map(({ name }) => name)])
  })

  it('loads nothing that writes, reads or compresses, nor threads', () => {
    const script = `
import { registerHooks } from 'node:module'
const loaded = []
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    loaded.push(resolved.url)
    return resolved
  },
})
await import(process.argv[1])
console.log(loaded.join('\\n'))`
    const module = new URL('../../src/archive/kinds.ts', import.meta.url).href
    const loaded = run(process.execPath, ['--input-type=module', '-e', script, module]).toString().trim().split('\n')
    const within = loaded.filter((url) => url.includes('/archive/')).map((url) => url.replace(/.*\/archive\//, ''))
    expect(within).to.include.members(['formats/tar/index.ts', 'formats/zip/layout.ts', 'filters/xz/index.ts'])
    for (const name of within) expect(name).to.match(/(^|\/)(kinds|descriptor|index|layout|header)\.ts$/)
    expect(loaded.filter((url) => /^node:(zlib|worker_threads|child_process|fs)/.test(url))).to.deep.equal([])
  })
})
