import { expect } from 'chai'
import { blobrefHash, blobrefHex, blobrefOf, isBlobref, parseBlobref } from '../../src/content/index.ts'

describe('content/blobref', () => {
  it('is the digest of the bytes as they are', () => {
    expect(blobrefOf('sha1', new Uint8Array())).to.equal('sha1-da39a3ee5e6b4b0d3255bfef95601890afd80709')
    expect(blobrefOf('sha1', Buffer.from('{"data":{},"type":"dir","ver":1}'))).to.equal(
      'sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91',
    )
    expect(blobrefOf('sha256', Buffer.from('hello'))).to.equal(
      'sha256-2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    )
  })

  it('is an algorithm and as many lower-case hex digits as its digest has, nothing else', () => {
    const good = `sha1-${'0a'.repeat(20)}`
    expect(isBlobref(good)).to.equal(true)
    const bad = [
      good.toUpperCase(),
      good.slice(1),
      `${good}0`,
      `${good}\n`,
      ` ${good}`,
      `sha256-${'0a'.repeat(20)}`,
      'md5-00',
      '',
      7,
    ]
    for (const text of bad) expect(isBlobref(text), String(text)).to.equal(false)
  })

  it('names its algorithm and digest', () => {
    expect(blobrefHash(`sha256-${'00'.repeat(32)}`)).to.equal('sha256')
    expect(blobrefHex(`sha1-${'ab'.repeat(20)}`)).to.equal('ab'.repeat(20))
  })

  it('is refused with EINVAL when it is malformed', () => {
    expect(() => parseBlobref('sha1-xyz'))
      .to.throw()
      .that.includes({
        code: 'EINVAL',
        message: 'sha1-xyz: not a blobref',
        hint: 'a blobref is sha1- or sha256- and the lower-case hex digits of the digest',
      })
    for (const sound of [`sha1-${'ab'.repeat(20)}`, `sha256-${'ab'.repeat(32)}`]) {
      expect(parseBlobref(sound)).to.equal(sound)
    }
  })

  it('is a text: a list with one in it is none', () => {
    expect(isBlobref([`sha1-${'ab'.repeat(20)}`])).to.equal(false)
  })
})
