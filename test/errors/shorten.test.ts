import { expect } from 'chai'
import fc from 'fast-check'
import { cutMiddle, messageLine, startOf } from '../../src/errors/index.ts'

const LONG = 1 << 20

describe('errors/shorten', () => {
  it('prints a message of ordinary length as it is, with control characters escaped', () => {
    const path = `/${'p'.repeat(900)}`
    expect(messageLine(`${path}: No such file or directory`)).to.equal(`${path}: No such file or directory`)
    expect(messageLine('a\nb')).to.equal('a\\nb')
  })

  it('cuts a name, or two, and keeps the words around them', () => {
    const [a, b] = ['a'.repeat(LONG), 'b'.repeat(LONG)]
    const line = messageLine(`${a}: a link or value, which cannot be kept beside ${b}; select the two separately`)
    expect(line).to.match(
      /^a+ … \(1,048,577 characters\) … a+: a link or value, which cannot be kept beside b+ … \(1,048,577 characters\) … b+; select the two separately$/,
    )
    expect(line.length).to.be.lessThan(500)
  })

  it('cuts the middle of a line whose words are short', () => {
    const line = messageLine(`${'a b '.repeat(LONG)}: No such file or directory`)
    expect(line).to.have.length(1000)
    expect(line).to.match(/^a b .* … \(.* characters\) … .*a b : No such file or directory$/)
  })

  it('never cuts a character in two, and never makes a line too long', () => {
    const text = fc.string({ unit: fc.constantFrom('😀', 'é', 'x', ' ', '\u0001', '\u202e'), maxLength: 3000 })
    fc.assert(
      fc.property(text, fc.nat(400), (text, most) => {
        const line = messageLine(text)
        expect(line.length).to.be.at.most(1000)
        for (const cut of [line, cutMiddle(text, most), startOf(text, most)]) expect(cut.isWellFormed()).to.equal(true)
        expect(startOf(text, most).length).to.be.within(Math.min(text.length, most) - 1, most)
      }),
    )
  })
})
