import { hash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { FluxError } from '../../src/errors/index.ts'
import {
  decodeDir,
  decodeTreeObj,
  dirBlob,
  dirrefText,
  symlinkText,
  treeObjText,
  valrefText,
  valText,
} from '../../src/kvs/index.ts'

const text = (blob: Uint8Array) => Buffer.from(blob).toString()

describe('kvs/treeobj-encode', () => {
  it('gives the empty directory the blobref that Flux gives it', () => {
    const blob = dirBlob(new Map())
    expect(text(blob)).to.equal('{"data":{},"type":"dir","ver":1}')
    expect(hash('sha1', blob)).to.equal('c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91')
  })

  it('writes members and names in the order of their bytes, without spaces', () => {
    const blobref = `sha1-${'a'.repeat(40)}`
    const entries = new Map([
      ['z', valText(Buffer.from('hello'))],
      ['10', valrefText([blobref, blobref])],
      ['9', dirrefText(blobref)],
      ['a', symlinkText('b.c', undefined)],
      ['B', symlinkText('b.c', 'ns')],
      ['\u{1f600}', valText(Buffer.from(''))],
      ['\uff5e', valText(Buffer.from(''))],
    ])
    expect(text(dirBlob(entries))).to.equal(
      [
        '{"data":{',
        `"10":{"data":["${blobref}","${blobref}"],"type":"valref","ver":1},`,
        `"9":{"data":["${blobref}"],"type":"dirref","ver":1},`,
        '"B":{"data":{"namespace":"ns","target":"b.c"},"type":"symlink","ver":1},',
        '"a":{"data":{"target":"b.c"},"type":"symlink","ver":1},',
        '"z":{"data":"aGVsbG8=","type":"val","ver":1},',
        '"\uff5e":{"data":"","type":"val","ver":1},',
        '"\u{1f600}":{"data":"","type":"val","ver":1}',
        '},"type":"dir","ver":1}',
      ].join(''),
    )
  })

  it('escapes as jansson does: control characters with upper-case digits, and nothing that needs none', () => {
    const names = ['\u001f', '\u000b', '\n', '"', '\\u001f', '/', '\u007f', 'é']
    const blob = dirBlob(new Map(names.map((name) => [name, valText(Buffer.from(''))])))
    const written = [...text(blob).matchAll(/"((?:\\.|[^"\\])*)":\{"data":"",/g)].map(([, name]) => name)
    expect(written).to.deep.equal(['\\n', '\\u000B', '\\u001F', '\\"', '/', '\\\\u001f', '\u007f', 'é'])
  })

  it('survives being read back, whatever names and targets are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'binary' }),
          fc.tuple(fc.string({ unit: 'binary' }), fc.option(fc.string({ unit: 'binary' }))),
        ),
        (links) => {
          const wellFormed = Object.entries(links).filter(([name, [target, namespace]]) =>
            [name, target, namespace ?? ''].every((part) => part.isWellFormed()),
          )
          const entries = wellFormed.map(
            ([name, [target, namespace]]) => [name, symlinkText(target, namespace ?? undefined)] as const,
          )
          const { type, data } = decodeTreeObj(dirBlob(new Map(entries)))
          expect(type).to.equal('dir')
          for (const [name, [target, namespace]] of wellFormed) {
            const link = (data as Record<string, { data: unknown }>)[name]
            expect(link?.data).to.deep.equal(namespace === null ? { target } : { namespace, target })
          }
        },
      ),
    )
  })

  it('keeps entries of a directory that are no tree objects as they are', () => {
    const dir =
      '{"data":{"a":{"data":1,"type":"later","ver":2},"b":{"data":{"c":[]},"type":"dir","ver":1}},"type":"dir","ver":1}'
    expect(treeObjText(decodeDir(Buffer.from(dir), 'key', undefined))).to.equal(dir)
  })

  it('writes what such entries hold as Flux would', () => {
    const data = '{"data":{"a":[1,"\\u001F",null,true,{"y":[],"z":null}],"b":"\\u000B"},"type":"later","ver":2}'
    expect(treeObjText({ type: 'invalid', reason: 'unknown', json: JSON.parse(data) })).to.equal(data)
    const link = '{"data":{"more":["\\u001F",2],"target":"a"},"type":"symlink","ver":1}'
    expect(treeObjText(decodeTreeObj(Buffer.from(link)))).to.equal(link)
  })

  it('refuses what is nested too deeply to be written, with an error of its own', () => {
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const obj = decodeTreeObj(Buffer.from(`{"data":{"target":"a","x":${nested}},"type":"symlink","ver":1}`))
    expect(() => treeObjText(obj))
      .to.throw(FluxError, 'nested too deeply')
      .with.property('code', 'EOVERFLOW')
  })
})
