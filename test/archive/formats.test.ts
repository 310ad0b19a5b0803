import { expect } from 'chai'
import { archiveTypeOf } from '../../src/archive/index.ts'

describe('archive/formats', () => {
  it('goes by the longest extension at the end of the name', () => {
    expect(archiveTypeOf('a.tar')).to.deep.equal({ format: 'tar', filter: 'none' })
    expect(archiveTypeOf('/x/a.b.tgz')).to.deep.equal({ format: 'tar', filter: 'gzip' })
    expect(archiveTypeOf('a.tar.gz')).to.deep.equal({ format: 'tar', filter: 'gzip' })
  })

  it('writes an uncompressed tar to standard output', () => {
    expect(archiveTypeOf('-')).to.deep.equal({ format: 'tar', filter: 'none' })
  })

  it('refuses an extension it does not know, and lists those it does', () => {
    for (const name of ['a.foo', 'a', 'a.gz', 'a.TAR', 'tar', 'a.tar.x', '']) {
      expect(() => archiveTypeOf(name), name)
        .to.throw('no known archive format')
        .with.property('code', 'EINVAL')
    }
    expect(() => archiveTypeOf('a.foo'))
      .to.throw()
      .with.property('hint')
      .that.includes('.tar, .tgz, .tar.gz')
  })
})
