import { hash } from 'node:crypto'
import { expect } from 'chai'
import { DigestMap } from '../../src/kvs/digest-map.ts'

describe('kvs/digest-map', () => {
  for (const name of ['sha1', 'sha256'] as const) {
    it(`numbers digests in the order in which they are added: ${name}`, () => {
      const digests = Array.from({ length: 5000 }, (_, i) => hash(name, `${i}`, 'buffer'))
      const width = (digests[0] as Buffer).length
      const map = new DigestMap(width)
      const joined = Buffer.concat(digests)
      for (let i = 0; i < 5000; i++) {
        expect(map.find(joined, i * width)).to.equal(undefined)
        expect(map.add(joined, i * width)).to.equal(i)
        expect(map.add(digests[i] as Buffer)).to.equal(i)
      }
      expect(map.size).to.equal(5000)
      digests.forEach((digest, i) => expect(map.find(digest)).to.equal(i))
      expect(map.find(hash(name, 'other', 'buffer'))).to.equal(undefined)
    })
  }

  it('tells digests apart that differ only in their last byte', () => {
    const map = new DigestMap(20)
    const digests = Array.from({ length: 256 }, (_, i) => Buffer.concat([Buffer.alloc(19), Buffer.of(i)]))
    digests.forEach((digest, i) => expect(map.add(digest)).to.equal(i))
    digests.forEach((digest, i) => expect(map.find(digest)).to.equal(i))
  })
})
