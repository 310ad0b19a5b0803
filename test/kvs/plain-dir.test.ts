import { expect } from 'chai'
import fc from 'fast-check'
import { DecodedDir, type DirEntries, ENTRY } from '../../src/kvs/dir-entries.ts'
import { decodeDir, dirBlob, dirrefText, symlinkText, valrefText, valText } from '../../src/kvs/index.ts'
import { PlainDir } from '../../src/kvs/plain-dir.ts'
import { refList } from '../../src/kvs/refs.ts'

const SHA1 = `sha1-${'0123456789abcdef'.repeat(3).slice(0, 40)}`
const OTHER = `sha1-${'f0'.repeat(20)}`
const SHA256 = `sha256-${'89'.repeat(32)}`

/** All entries, in the order of the visit. */
function listed(entries: DirEntries): unknown[] {
  const all: unknown[] = []
  while (entries.hasNext) {
    expect(entries.next()).to.equal(true)
    const { name, type } = entries
    const hasRefs = type === ENTRY.VALREF || type === ENTRY.DIRREF
    all.push([name, type, hasRefs ? refList(entries, 'sha1') : entries.obj])
    expect(entries.has(name)).to.equal(true)
  }
  expect(entries.next()).to.equal(false)
  expect(entries.has('no such name')).to.equal(false)
  return all
}

const plain = (text: string | Uint8Array, reverse = false) => PlainDir.of(Buffer.from(text), 'sha1', reverse)
const decoded = (text: string | Uint8Array, reverse = false) =>
  new DecodedDir(decodeDir(Buffer.from(text), 'key', undefined), reverse)

/** A text that is in Flux's form must be read as JSON.parse reads it, in both directions. */
function expectSame(text: string | Uint8Array): boolean {
  let isPlain = false
  for (const reverse of [false, true]) {
    const dir = plain(text, reverse)
    if (dir === undefined) continue
    isPlain = true
    const expected = listed(decoded(text, reverse))
    expect(dir.count).to.equal(expected.length)
    expect(listed(dir)).to.deep.equal(expected)
  }
  return isPlain
}

const name = fc.oneof(
  fc.string({ maxLength: 20, unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.constantFrom(
    '',
    '0',
    '1',
    '9',
    '10',
    '4294967295',
    '-1',
    '__proto__',
    'constructor',
    'eventlog',
    'R',
    'é',
    '\u{1f600}',
    '\uffff',
  ),
)
const blobref = fc.constantFrom(SHA1, OTHER)
const entry = fc.oneof(
  fc.uint8Array({ maxLength: 9 }).map(valText),
  fc.array(blobref, { minLength: 1, maxLength: 4 }).map(valrefText),
  blobref.map(dirrefText),
  fc.tuple(name, fc.option(name, { nil: undefined })).map(([target, namespace]) => symlinkText(target, namespace)),
)
/** What Flux may not write, but JSON allows. */
const oddEntry = fc.oneof(
  fc.constantFrom(
    '{"data":{},"type":"dir","ver":1}',
    `{"data":{"a":${valText(Buffer.from('x'))}},"type":"dir","ver":1}`,
    `{"type":"val","data":"YQ==","ver":1}`,
    '{"data":"YQ==","type":"val","ver":2}',
    '{"data":"YQ==","type":"val","ver":1 }',
    '{"data":"Y\\u0051==","type":"val","ver":1}',
    '{"data":"not base64","type":"val","ver":1}',
    '{"data":"YQ==","type":"valref","ver":1}',
    '{"data":[],"type":"valref","ver":1}',
    `{"data":["${SHA256}"],"type":"valref","ver":1}`,
    `{"data":["${SHA1.toUpperCase()}"],"type":"valref","ver":1}`,
    `{"data":["${SHA1}0"],"type":"valref","ver":1}`,
    `{"data":["${SHA1}", "${OTHER}"],"type":"valref","ver":1}`,
    `{"data":["${SHA1}","${OTHER}"],"type":"dirref","ver":1}`,
    `{"data":["${SHA1}"],"type":"symlink","ver":1}`,
    '{"data":{"target":"a","namespace":"b"},"type":"symlink","ver":1}',
    '{"data":{"target":1},"type":"symlink","ver":1}',
    '{"data":{},"type":"symlink","ver":1}',
    '{"data":{"target":"a\\"b"},"type":"symlink","ver":1}',
    'null',
    '5',
  ),
  fc.json(),
)

describe('kvs/plain-dir', () => {
  it('reads every directory that Flux writes as JSON.parse does', () => {
    // A name with a quote, a backslash or a control character has an escape, so it is no plain text.
    const plainName = name.filter((text) => !/["\\\p{Cc}]/u.test(text))
    const plainLink = fc
      .tuple(plainName, fc.option(plainName, { nil: undefined }))
      .map(([target, namespace]) => symlinkText(target, namespace))
    const plainEntry = fc.oneof(
      fc.uint8Array({ maxLength: 9 }).map(valText),
      fc.array(blobref, { minLength: 1, maxLength: 4 }).map(valrefText),
      blobref.map(dirrefText),
      plainLink,
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(plainName, plainEntry), { maxLength: 8 }), (entries) => {
        expect(expectSame(dirBlob(new Map(entries)))).to.equal(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('reads any other text as JSON.parse does, or leaves it to that', () => {
    const member = fc.tuple(
      fc.oneof(
        name.map((text) => JSON.stringify(text)),
        fc.constantFrom('"\\u0061"', '"a"', '"a" '),
      ),
      fc.oneof({ weight: 4, arbitrary: entry }, oddEntry),
    )
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 6 }),
        fc.constantFrom(',', ',', ',', ' ,', ',,', ''),
        fc.constantFrom('', '', '', ' ', ',', '\ufeff', '\0'),
        (members, comma, end) => {
          const texts = members.map(([key, value]) => `${key}:${value}`)
          expectSame(`{"data":{${texts.join(comma)}${end}},"type":"dir","ver":1}`)
          expectSame(`{"data":{${texts.join(',')}},"type":"dir","ver":1}${end}`)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('reads a text with any byte changed or any part removed as JSON.parse does, or leaves it to that', () => {
    const text = dirBlob(
      new Map([
        ['a', valText(Buffer.from('value'))],
        ['b', valrefText([SHA1, OTHER])],
        ['é', dirrefText(OTHER)],
        ['link', symlinkText('a.b', 'guest')],
        ['to', symlinkText('a', undefined)],
      ]),
    )
    expect(expectSame(text)).to.equal(true)
    for (let at = 0; at < text.length; at++) {
      for (const byte of [0, 0x0a, 0x20, 0x22, 0x2c, 0x30, 0x41, 0x5c, 0x5d, 0x61, 0x7d, 0x7f, 0x80, 0xc3, 0xff]) {
        const changed = Buffer.from(text)
        changed[at] = byte
        expectSame(changed)
      }
      expectSame(text.subarray(0, at))
      expectSame(text.subarray(at))
      for (const length of [1, 2, 10, 48]) expectSame(Buffer.concat([text.subarray(0, at), text.subarray(at + length)]))
    }
  })

  it('takes names in any order, and none twice', () => {
    const entry = valText(Buffer.from('1'))
    const text = (...names: string[]) =>
      `{"data":{${names.map((name) => `"${name}":${entry}`).join(',')}},"type":"dir","ver":1}`
    expect(expectSame(text('10', '9', 'a', 'B', 'é', '\u{1f600}', '\uffff'))).to.equal(true)
    expect(expectSame(text('b', 'a', 'b'))).to.equal(false)
  })

  it('gives each of many short names as it stands, however often it is met', () => {
    // Far more than are remembered, many of one length, some alike up to their last letter.
    const letters = 'abcdefghijklmnopqrstuvwxyz'
    const names = Array.from({ length: 5000 }, (_, i) => {
      const start = `${letters[i % 26]}${letters[Math.floor(i / 26) % 26]}${i}`
      return start + letters.slice(0, i % 18)
    })
    const text = dirBlob(new Map(names.map((name) => [name, valText(Buffer.from('1'))])))
    const sorted = names.toSorted()
    for (const reverse of [false, true, false]) {
      const dir = plain(text, reverse) as PlainDir
      const met: string[] = []
      while (dir.next()) met.push(dir.name)
      expect(met).to.deep.equal(reverse ? sorted.toReversed() : sorted)
    }
  })

  it('visits names in ascending order unless it is told otherwise', () => {
    const text = dirBlob(new Map(['b', 'a', 'c'].map((name) => [name, valText(Buffer.from(name))])))
    const dir = PlainDir.of(Buffer.from(text), 'sha1') as PlainDir
    const met: string[] = []
    while (dir.next()) met.push(dir.name)
    expect(met).to.deep.equal(['a', 'b', 'c'])
  })

  it('takes only blobrefs of the algorithm that it is asked for', () => {
    const text = dirBlob(new Map([['a', valrefText([SHA256, SHA256])]]))
    expect(PlainDir.of(Buffer.from(text), 'sha1')).to.equal(undefined)
    const dir = PlainDir.of(Buffer.from(text), 'sha256') as PlainDir
    dir.next()
    expect(refList(dir, 'sha256')).to.deep.equal([SHA256, SHA256])
  })
})
