import { expect } from 'chai'
import { TreeError } from '../../src/kvs/index.ts'

describe('kvs/tree-error', () => {
  it('has a reason: the message without its key, whatever the key holds', () => {
    const blobref = `sha1-${'0'.repeat(40)}`
    for (const key of ['a.b', 'a: b', 'a\nb: c', '.']) {
      const error = new TreeError('ENOENT', { key, blobref, kind: 'missing-dir' }, 'could not load content: lost')
      expect(error.reason, key).to.equal(`could not load content: lost (${blobref})`)
      expect(error.message.endsWith(`: ${error.reason}`)).to.equal(true)
    }
  })
})
