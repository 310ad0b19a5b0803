import { expect } from 'chai'
import fc from 'fast-check'
import { columns } from '../../src/cli/index.ts'

const laidOut = (names: string[], width: number, suffix = '') =>
  [
    ...columns(
      names.map((name) => ({ name, suffix })),
      width,
    ),
  ].join('')

describe('inspect/columns', () => {
  for (const [names, width, text] of [
    [[], 80, ''],
    [['a'], 80, 'a\n'],
    [['a', 'bb', 'c'], 80, 'a     bb    c\n'],
    [['a', 'bb', 'c'], 12, 'a     bb\nc\n'],
    [['a', 'bb', 'c'], 11, 'a\nbb\nc\n'],
    [['a', 'bb', 'c'], 1, 'a\nbb\nc\n'],
    [['a', 'bb', 'c'], 0, 'a     bb    c\n'],
    [['é', 'x'], 80, 'é    x\n'],
  ] as const) {
    it(`puts ${JSON.stringify(names)} into ${width} columns`, () => {
      expect(laidOut([...names], width)).to.equal(text)
    })
  }

  it('takes what is appended out of the gap', () => {
    expect(laidOut(['a', 'bb', 'c'], 80, '@')).to.equal('a@    bb@   c@\n')
  })

  it('keeps every name, in order, whatever the width', () => {
    const name = fc.stringMatching(/^[a-z]{1,12}$/)
    fc.assert(
      fc.property(fc.array(name), fc.nat(60), (names, width) => {
        expect(laidOut(names, width).split(/\s+/).filter(Boolean)).to.deep.equal(names)
      }),
    )
  })

  it('hands out the names of a large directory in pieces', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `key${i}`)
    const pieces = [
      ...columns(
        names.map((name) => ({ name, suffix: '' })),
        1,
      ),
    ]
    expect(pieces.length).to.be.greaterThan(5)
    expect(pieces.join('')).to.equal(`${names.join('\n')}\n`)
  })
})
