import { expect } from 'chai'
import fc from 'fast-check'
import { componentsOf, GlobFilter, Globs, type KeySelection, keyOf, walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, val, valref } from '../support/trees.ts'

/** The keys that globs select, and the directories and values loaded for it. */
async function select(globs: KeySelection): Promise<{ keys: string[]; loads: number; hasRefused: boolean }> {
  const blobs = new Blobs()
  const job = () =>
    dir({ eventlog: valref('e'), jobspec: valref('j'), guest: dir({ output: valref('o'), '.hidden': val('') }) })
  const rootref = blobs.tree({
    job: dir({ '0000': dir({ a: job(), b: job() }), '0001': dir({ c: job() }) }),
    resource: dir({ R: val('r'), eventlog: val('e') }),
    inline: raw('dir', { x: val('in'), y: val('in') }),
    link: symlink('job'),
  })
  const store = new MemoryStore(blobs)
  const keys: string[] = []
  const filter = new GlobFilter(globs)
  for await (const batch of walk(store, rootref, { filter }))
    keys.push(...batch.map(({ dir, name }) => keyOf(dir, name)))
  return { keys, loads: store.asked.length, hasRefused: filter.hasRefused }
}

describe('kvs/globs', () => {
  it('take what matches, and all that is below it', async () => {
    expect((await select({ include: ['resource'] })).keys).to.deep.equal(['resource.R', 'resource.eventlog'])
    expect((await select({ include: ['job/0001', 'inline/x'] })).keys).to.deep.equal([
      'inline.x',
      'job.0001.c.eventlog',
      'job.0001.c.guest..hidden',
      'job.0001.c.guest.output',
      'job.0001.c.jobspec',
    ])
    expect((await select({ include: ['*/R', 'li*'] })).keys).to.deep.equal(['link', 'resource.R'])
  })

  it('leave out what matches, and all that is below it', async () => {
    expect((await select({ exclude: ['job', '**/e*'] })).keys).to.deep.equal([
      'inline.x',
      'inline.y',
      'link',
      'resource.R',
    ])
    expect((await select({ include: ['job/**/{eventlog,jobspec}'], exclude: ['job/0000'] })).keys).to.deep.equal([
      'job.0001.c.eventlog',
      'job.0001.c.jobspec',
    ])
  })

  it('may be written as keys, with dots', async () => {
    expect((await select({ include: ['job.*.c.eventlog'] })).keys).to.deep.equal(['job.0001.c.eventlog'])
    expect((await select({ include: ['job.**.output'] })).keys).to.have.length(3)
  })

  it('load nothing in which there can be no match', async () => {
    // The root, job, 0001, c, and the value.
    expect((await select({ include: ['job/0001/*/eventlog'] })).loads).to.equal(5)
    expect((await select({ include: ['link'] })).loads).to.equal(1)
    expect((await select({ exclude: ['job', 'resource'] })).loads).to.equal(1)
    // Neither guest nor 0001.
    expect((await select({ include: ['job/0000/?/jobspec'] })).loads).to.equal(7)
  })

  it('say whether anything is left out: a value, a link, or a directory', async () => {
    const refused = async (globs: KeySelection) => (await select(globs)).hasRefused
    for (const globs of [{}, { include: ['**'] }, { exclude: ['none'] }, { filter: () => true }])
      expect(await refused(globs), JSON.stringify(globs)).to.equal(false)
    for (const globs of [
      { include: ['{job,resource,inline}'] },
      { include: ['{job,resource,link}'] },
      { include: ['{job,inline,link}'] },
      { exclude: ['link'] },
      { exclude: ['resource/R'] },
      { exclude: ['resource'] },
      { exclude: ['inline'] },
      { filter: (path: string) => path !== 'resource/R' },
    ])
      expect(await refused(globs), JSON.stringify(globs)).to.equal(true)
  })

  it('leave to a function only what they select, and load nothing that it refuses', async () => {
    const asked: string[] = []
    const filter = (path: string) => {
      asked.push(path)
      return path.endsWith('jobspec')
    }
    const { keys, loads } = await select({ include: ['job/0000'], exclude: ['**/guest'], filter })
    expect(asked.sort()).to.deep.equal(
      ['a/eventlog', 'a/jobspec', 'b/eventlog', 'b/jobspec'].map((of) => `job/0000/${of}`),
    )
    expect(keys).to.deep.equal(['job.0000.a.jobspec', 'job.0000.b.jobspec'])
    // The root, job, 0000, a and b, and the two values.
    expect(loads).to.equal(7)
  })

  it('match a path and all below it, hidden names too, and nothing beside it', () => {
    const matching = (glob: string, ...paths: string[]) => paths.filter((path) => new Globs([glob]).matches(path))
    expect(matching('a/b', 'a/b', 'a/b/c', 'a/b/c/d', 'a', 'a/bc', 'x/a/b', 'b', '')).to.deep.equal([
      'a/b',
      'a/b/c',
      'a/b/c/d',
    ])
    expect(matching('a/*', 'a', 'a/.b', 'a/b/c')).to.deep.equal(['a/.b', 'a/b/c'])
    expect(new Globs(['x', 'a']).matches('a/b')).to.equal(true)
  })

  it('tell where nothing can match, as far as that can be told', () => {
    const barren = (glob: string, ...dirs: string[]) => dirs.filter((path) => !new Globs([glob]).mayMatchBelow(path))
    expect(barren('a/b/c', 'a', 'a/b', 'b', 'a/c', 'a/b/c', 'a/b/d')).to.deep.equal(['b', 'a/c', 'a/b/c', 'a/b/d'])
    expect(barren('a/**/c', 'a', 'a/x', 'a/x/y', 'b', 'b/a')).to.deep.equal(['b', 'b/a'])
    expect(barren('*/b', '.a', 'a', '.a/c')).to.deep.equal(['.a/c'])
    expect(barren('[ab]/c', 'a', 'b', 'z')).to.deep.equal(['z'])
    // An exclamation mark negates only at the beginning, and a bracket that is closed holds no slash.
    expect(barren('a!b/c', 'a!b', 'z')).to.deep.equal(['z'])
    expect(barren('[a]b/c', 'ab', 'z')).to.deep.equal(['z'])
    // What cannot be split at its slashes.
    for (const glob of ['{a,b}/c', '@(a|b)/c', '\\a/b', '!a/b', '[a/]b', '[ab/c]d'])
      expect(barren(glob, 'z', 'z/z'), glob).to.deep.equal([])
    expect(new Globs(['a/b', 'c/d']).mayMatchBelow('c')).to.equal(true)
  })

  it('take dots for slashes only in a glob without a slash', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ 'a.b': dir({ c: val('1') }), a: dir({ b: dir({ c: val('2') }) }) })
    const found = async (include: string) => {
      const all: string[][] = []
      for await (const batch of walk(new MemoryStore(blobs), rootref, {
        filter: new GlobFilter({ include: [include] }),
      }))
        all.push(...batch.map(({ dir, name }) => [...componentsOf(dir, name)]))
      return all
    }
    expect(await found('a.b')).to.deep.equal([['a', 'b', 'c']])
    expect(await found('a.b/c')).to.deep.equal([['a.b', 'c']])
  })

  it('never call a directory barren that is not', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '**', 'a*', '[ab]', '{a,b}', '{a/b,c}', '!a', 'ab')
    const component = fc.constantFrom('a', 'b', 'ab', 'c')
    const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    fc.assert(
      fc.property(
        fc.array(glob, { minLength: 1, maxLength: 2 }),
        fc.array(component, { minLength: 2, maxLength: 5 }),
        (texts, path) => {
          const globs = new Globs(texts)
          if (!globs.matches(path.join('/'))) return
          for (let depth = 1; depth < path.length; depth++) {
            const dir = path.slice(0, depth).join('/')
            expect(globs.matches(dir) || globs.mayMatchBelow(dir), `${texts} ${path} ${dir}`).to.equal(true)
          }
        },
      ),
    )
  })
})
