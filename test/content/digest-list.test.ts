import { expect } from 'chai'
import { DigestList } from '../../src/content/digest-list.ts'

const digest = (n: number) => Buffer.alloc(20, n)
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('content/digest-list', () => {
  it('appends digests in hex, from any place in a text', () => {
    const list = new DigestList(8)
    const hex = '0123456789abcdef'
    list.pushHex(Buffer.from(`sha1-${hex}"`), 5)
    list.pushHex(Buffer.from('f0'.repeat(8)), 0)
    expect(list.length).to.equal(2)
    expect(hexOf(list.takeLast(2))).to.equal(hex + 'f0'.repeat(8))
  })

  it('holds any number, appended one by one or many at a time', () => {
    for (const append of [
      (list: DigestList, n: number) => list.push(digest(n)),
      (list: DigestList, n: number) => list.pushHex(Buffer.from(digest(n).toString('hex')), 0),
    ]) {
      const list = new DigestList(20)
      for (let n = 0; n < 200; n++) append(list, n)
      expect(list.length).to.equal(200)
      const all = Buffer.concat(Array.from({ length: 200 }, (_, n) => digest(n)))
      expect(hexOf(list.takeLast(200))).to.equal(all.toString('hex'))
      list.push(all)
      list.push(all)
      expect(hexOf(list.takeLast(400))).to.equal(Buffer.concat([all, all]).toString('hex'))
    }
  })

  it('takes far more at once than it has room for', () => {
    const list = new DigestList(20)
    const all = Buffer.concat(Array.from({ length: 300 }, (_, n) => digest(n)))
    list.push(all)
    expect(list.length).to.equal(300)
    expect(hexOf(list.takeLast(300))).to.equal(all.toString('hex'))
  })

  it('gives the last ones, in a buffer of their own, and all where there are no more', () => {
    const list = new DigestList(20)
    for (const n of [1, 2, 3]) list.push(digest(n))
    const taken = list.takeLast(2)
    expect(hexOf(taken)).to.equal(hexOf(Buffer.concat([digest(2), digest(3)])))
    expect(taken.buffer.byteLength).to.equal(40)
    list.push(digest(4))
    expect(hexOf(taken)).to.equal(hexOf(Buffer.concat([digest(2), digest(3)])))
    expect(hexOf(list.takeLast(9))).to.equal(hexOf(Buffer.concat([digest(1), digest(4)])))
    expect(list.takeLast(1)).to.have.length(0)
    expect(list.length).to.equal(0)
  })
})
