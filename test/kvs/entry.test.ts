import { expect } from 'chai'
import fc from 'fast-check'
import { componentsOf, Dir, keyBelow, keyIn, keyOf } from '../../src/kvs/entry.ts'

const entries = { has: (name: string) => name === 'here' }
const root = new Dir(undefined, '', 'sha1-root', entries)
const a = new Dir(root, 'a', undefined, entries)
const b = new Dir(a, 'b.c', undefined, entries)

describe('kvs/entry', () => {
  it('knows the depth of a directory, and what is in it', () => {
    expect([root.depth, a.depth, b.depth]).to.deep.equal([0, 1, 2])
    expect([b.has('here'), b.has('there')]).to.deep.equal([true, false])
  })

  it('gives the components of a key, and the key as Flux shows it', () => {
    expect(componentsOf(b, 'd')).to.deep.equal(['a', 'b.c', 'd'])
    expect(componentsOf(root, 'd')).to.deep.equal(['d'])
    expect(componentsOf(undefined, 'd')).to.deep.equal(['d'])
    expect([keyOf(b, 'd'), keyOf(root, 'd'), keyOf(undefined, 'd'), keyOf(a, '')]).to.deep.equal([
      'a.b.c.d',
      'd',
      'd',
      'a.',
    ])
  })

  it('joins the key of a directory and a name as flux_kvsdir_key_at does', () => {
    expect([keyIn('.', 'a'), keyIn('a', 'b'), keyIn('a.', 'b')]).to.deep.equal(['a', 'a.b', 'a.b'])
  })

  it('puts a key together from many names as from one after another', () => {
    const names = fc.array(
      fc.string({ unit: fc.constantFrom('a', '.', ' '), maxLength: 3 }).filter((name) => name !== '.'),
    )
    fc.assert(
      fc.property(fc.constantFrom('.', 'dir', 'dir.', 'a.b'), names, (key, names) => {
        expect(keyBelow(key, names)).to.equal(names.reduce((at, name) => keyIn(at, name), key))
      }),
    )
  })
})
