import { expect } from 'chai'
import { parseSize } from '../../src/cli/index.ts'

describe('cli/size', () => {
  it('reads sizes as the tools of Flux do, with units that are powers of 1024', () => {
    const sizes: [string, number][] = [
      ['0', 0],
      ['17', 17],
      ['1.5K', 1536],
      ['1.5k', 1536],
      ['0x10', 16],
      ['1e3', 1000],
      ['.5M', 1 << 19],
      ['5.25G', 5.25 * 2 ** 30],
      ['3072T', 3 * 2 ** 50],
    ]
    for (const [text, bytes] of sizes) expect(parseSize(text, 'size'), text).to.equal(bytes)
  })

  it('refuses what is no size', () => {
    for (const text of ['', 'K', '1KB', '-1', '9000T', '1 M']) {
      expect(() => parseSize(text, 'size'), text).to.throw(/^invalid argument for option 'size': .*: Invalid argument$/)
    }
  })
})
