import { expect } from 'chai'
import fc from 'fast-check'
import { GlobFilter, Globs, type KeyGlobs, keyOf, walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, val, valref } from '../support/trees.ts'

/** The keys that globs select, and the directories and values loaded for it. */
async function select(globs: KeyGlobs): Promise<{ keys: string[]; loads: number }> {
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
  return { keys, loads: store.asked.length }
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
