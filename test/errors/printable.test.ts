import { expect } from 'chai'
import { printable } from '../../src/errors/index.ts'

describe('errors/printable', () => {
  it('leaves ordinary text alone, in any script', () => {
    for (const text of ['a.b.c', 'with space', 'ƒuzzybunny', '日本語', '']) expect(printable(text)).to.equal(text)
  })

  it('shows control characters instead of sending them to the terminal', () => {
    expect(printable('a\u001b[31mred\u0007\n\t\r')).to.equal('a\\x1b[31mred\\x07\\n\\t\\r')
    expect(printable('\u009b0m')).to.equal('\\x9b0m')
  })

  it('shows characters that would turn the text around', () => {
    expect(printable('abc\u202etxt')).to.equal('abc\\u202etxt')
  })
})
