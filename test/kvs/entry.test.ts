import { expect } from 'chai'
import fc from 'fast-check'
import { keyBelow, keyIn } from '../../src/kvs/index.ts'

describe('kvs/entry', () => {
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
