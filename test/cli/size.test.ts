import { expect } from 'chai'
import { parseSize, sizeText } from '../../src/cli/index.ts'

describe('cli/size', () => {
  it('writes sizes as people read them, and reads them back', () => {
    const sizes = [0, 17, 1023, 1024, 1536, 10 * 1024, 1023.7 * 1024, 5.25 * 2 ** 30, 3 * 2 ** 50]
    const texts = ['0', '17', '1023', '1.0K', '1.5K', '10K', '1.0M', '5.3G', '3072T']
    expect(sizes.map(sizeText)).to.deep.equal(texts)
    for (const text of texts) expect(sizeText(parseSize(text, 'size'))).to.equal(text)
  })
})
