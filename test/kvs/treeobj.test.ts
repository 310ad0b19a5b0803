import { expect } from 'chai'
import fc from 'fast-check'
import { decodeTreeObj, decodeVal, sortedNames, type TreeObj } from '../../src/kvs/index.ts'
import { inByteOrder } from '../../src/kvs/name-order.ts'
import { dirBlobref, dirrefOf, type EntryObj, isDir, linkOf, linkText } from '../../src/kvs/treeobj.ts'

const decode = (text: string | Uint8Array) => decodeTreeObj(Buffer.from(text))
const ref = `sha1-${'ab'.repeat(20)}`

describe('kvs/treeobj', () => {
  it('decodes every type', () => {
    expect(decode('{"data":"YQ==","type":"val","ver":1}').type).to.equal('val')
    expect(decode(`{"data":["${ref}","${ref}"],"type":"valref","ver":1}`).data).to.deep.equal([ref, ref])
    expect(decode(`{"data":["${ref}"],"type":"dirref","ver":1}`).type).to.equal('dirref')
    expect(decode('{"data":{},"type":"dir","ver":1}').type).to.equal('dir')
    expect(decode('{"data":{"target":"a.b"},"type":"symlink","ver":1}').data).to.deep.equal({ target: 'a.b' })
  })

  it('takes other member order, white space around, and the last of duplicate names', () => {
    const text =
      ' {"ver":1, "type":"dir","data":{"a":{"ver":1,"type":"val","data":"MQ=="},"a":{"ver":1,"type":"val","data":"Mg=="}}}\n'
    const { data } = decode(text) as { data: Record<string, TreeObj> }
    expect(data.a?.data).to.equal('Mg==')
  })

  it('keeps names that mean something to JavaScript', () => {
    const entry = '{"data":"MQ==","type":"val","ver":1}'
    const dir = decode(
      `{"data":{"__proto__":${entry},"constructor":${entry},"10":${entry},"9":${entry}},"type":"dir","ver":1}`,
    )
    expect(sortedNames(dir as never)).to.deep.equal(['10', '9', '__proto__', 'constructor'])
  })

  const version = 'not a tree object of version 1 (RFC 11)'
  const wrong: [what: string, text: string | Uint8Array, reason: string][] = [
    ['no JSON', 'smurf', 'not JSON: '],
    ['nothing', '', 'not JSON: '],
    ['a NUL at the end', '{"data":{},"type":"dir","ver":1}\0', 'not JSON: '],
    ['a second object', '{"data":{},"type":"dir","ver":1}{}', 'not JSON: '],
    ['no UTF-8', Buffer.from('{"data":{"\xff":1},"type":"dir","ver":1}', 'latin1'), 'not JSON: '],
    ['an array', '[]', 'a tree object is not an object'],
    ['null', 'null', 'a tree object is not an object'],
    ['a string', '"text"', 'a tree object is not an object'],
    ['a fourth member', '{"data":{},"type":"dir","ver":1,"x":0}', version],
    ['a missing member', '{"data":{},"type":"dir"}', version],
    ['another member instead of data', '{"date":{},"type":"dir","ver":1}', version],
    ['version 2', '{"data":{},"type":"dir","ver":2}', version],
    ['an unknown type', '{"data":{},"type":"hdir","ver":1}', 'a tree object of unknown type'],
    ['a val of a number', '{"data":1,"type":"val","ver":1}', 'a val without a string'],
    ['an empty valref', '{"data":[],"type":"valref","ver":1}', 'a valref without a blobref'],
    ['a valref of a string', `{"data":"${ref}","type":"valref","ver":1}`, 'a valref without a blobref'],
    ['a dirref of a string', `{"data":"${ref}","type":"dirref","ver":1}`, 'a dirref without a blobref'],
    [
      'an upper-case blobref',
      `{"data":["${ref}","${ref.toUpperCase()}"],"type":"valref","ver":1}`,
      'a valref with something that is no blobref',
    ],
    ['a symlink without target', '{"data":{},"type":"symlink","ver":1}', 'a symlink without a target'],
    ['a symlink of null', '{"data":null,"type":"symlink","ver":1}', 'a symlink without a target'],
    ['a symlink to a number', '{"data":{"target":1},"type":"symlink","ver":1}', 'a symlink without a target'],
    [
      'a namespace that is a number',
      '{"data":{"target":"a","namespace":1},"type":"symlink","ver":1}',
      'a symlink whose namespace is no string',
    ],
    [
      'half a surrogate pair in a target',
      '{"data":{"target":"\\udfff"},"type":"symlink","ver":1}',
      'a symlink that is not Unicode text',
    ],
    [
      'half a surrogate pair in a namespace',
      '{"data":{"target":"a","namespace":"\\ud800"},"type":"symlink","ver":1}',
      'a symlink that is not Unicode text',
    ],
    [
      'a bad entry in a dir',
      '{"data":{"a":{"data":{},"type":"dir","ver":1},"b":5},"type":"dir","ver":1}',
      'a tree object is not an object',
    ],
    ['a dir of an array', '{"data":[],"type":"dir","ver":1}', 'a dir without entries'],
    ['a dir of a string', '{"data":"text","type":"dir","ver":1}', 'a dir without entries'],
    ['a dir of null', '{"data":null,"type":"dir","ver":1}', 'a dir without entries'],
    [
      'half a surrogate pair in a name',
      '{"data":{"\\ud800":{"data":"","type":"val","ver":1}},"type":"dir","ver":1}',
      'a name that is not Unicode text',
    ],
  ]
  for (const [what, text, reason] of wrong) {
    it(`refuses ${what} with EPROTO, and says why`, () => {
      expect(() => decode(text))
        .to.throw(reason)
        .with.property('code', 'EPROTO')
    })
  }

  it('keeps the cause when a blob is not JSON', () => {
    expect(() => decode('{'))
      .to.throw(/^not JSON: ./)
      .with.property('cause')
      .that.is.instanceOf(SyntaxError)
  })

  it('decodes directories nested deeper than any stack', () => {
    const depth = 100_000
    const text = `${'{"data":{"d":'.repeat(depth)}{"data":{},"type":"dir","ver":1}${'},"type":"dir","ver":1}'.repeat(depth)}`
    expect(decode(text).type).to.equal('dir')
  })

  it('sorts names by the bytes of their UTF-8, not by UTF-16', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' })), (names) => {
        const data = Object.fromEntries(names.map((name) => [name, { data: '', type: 'val', ver: 1 }]))
        const sorted = sortedNames({ data, type: 'dir', ver: 1 } as never)
        expect(sorted).to.deep.equal(Object.keys(data).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
      }),
    )
    const names = ['\uff5e', '\u{1f600}', 'z']
    const data = Object.fromEntries(names.map((name) => [name, { data: '', type: 'val', ver: 1 }]))
    expect(sortedNames({ data, type: 'dir', ver: 1 } as never)).to.deep.equal(['z', '\uff5e', '\u{1f600}'])
  })

  it('knows when names are in that order, which a name beyond U+FFFF keeps it from', () => {
    for (const names of [[], ['a'], ['10', '9', 'B', 'a', 'a'], ['', 'a', 'é', '\ud7ff']]) {
      expect(inByteOrder(names), names.join()).to.equal(true)
    }
    for (const names of [['b', 'a'], ['a', 'c', 'b'], ['9', '10'], ['a', '\u{1f600}'], ['\ud800'], ['\udfff', 'z']]) {
      expect(inByteOrder(names), names.join()).to.equal(false)
    }
  })

  it('decodes base64 with padding and without, and nothing else', () => {
    const value = (data: string) => Buffer.from(decodeVal({ data, type: 'val', ver: 1 })).toString('latin1')
    expect(value('')).to.equal('')
    expect(value('YQ==')).to.equal('a')
    expect(value('YQ')).to.equal('a')
    expect(value('YWE')).to.equal('aa')
    expect(value('YWE=')).to.equal('aa')
    expect(value('YWFhYWE')).to.equal('aaaaa')
    expect(value('/+8=')).to.equal('\xff\xef')
    for (const bad of [
      'Y',
      'YWFhY',
      'YWFhYQ===',
      'YWE==',
      '=',
      '==',
      'YQ=',
      'YQ===',
      'Y Q=',
      'YQ\n',
      '-_8=',
      'YQ==YQ==',
      '====',
    ]) {
      expect(() => value(bad), bad)
        .to.throw('invalid value object')
        .with.property('code', 'EINVAL')
    }
  })

  it('tells directories from other objects, and the blobref of one that has one', () => {
    const types = ['dir', 'dirref', 'val', 'valref', 'symlink', 'invalid']
    expect(types.filter((type) => isDir({ type } as EntryObj))).to.deep.equal(['dir', 'dirref'])
    expect(dirrefOf(ref)).to.deep.equal({ type: 'dirref', ver: 1, data: [ref] })
    expect(dirBlobref(dirrefOf(ref))).to.equal(ref)
    for (const data of [[], [ref, ref]]) expect(dirBlobref({ ...dirrefOf(ref), data })).to.equal(undefined)
  })

  it('writes a link as one text, which is split at its first colons', () => {
    for (const [text, target, namespace] of [
      ['a.b', 'a.b', undefined],
      ['ns::a', 'a', 'ns'],
      ['ns::a::b', 'a::b', 'ns'],
      ['::a', 'a', ''],
      ['a:b', 'a:b', undefined],
    ] as const) {
      expect(linkText({ target, namespace })).to.equal(text)
      expect(linkOf(text)).to.deep.equal({ target, namespace })
    }
  })
})
