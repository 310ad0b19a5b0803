import { expect } from 'chai'
import { DIGEST_BYTES, DigestList, type HashName } from '../../src/content/index.ts'
import { findReferences } from '../../src/kvs/find-references.ts'
import { TreeError } from '../../src/kvs/index.ts'
import { Blobs, dir, raw, symlink, type Tree, val, valref } from '../support/trees.ts'

/** The references in the blob of a directory, sorted. */
function referencesIn(text: string, hash: HashName = 'sha1'): { dirs: string[]; values: string[] } {
  const width = DIGEST_BYTES[hash]
  const lists = { dirs: new DigestList(width), values: new DigestList(width) }
  findReferences(Buffer.from(text), () => 'sha1-of-this', { hash, ...lists })
  const blobrefs = (list: DigestList) => {
    const hex = Buffer.from(list.takeLast(list.length)).toString('hex')
    return (hex.match(new RegExp(`.{${width * 2}}`, 'g')) ?? []).map((digest) => `${hash}-${digest}`).sort()
  }
  return { dirs: blobrefs(lists.dirs), values: blobrefs(lists.values) }
}

const A = `sha1-${'a'.repeat(40)}`
const B = `sha1-${'0123456789'.repeat(4)}`
const SHA256 = `sha256-${'9f'.repeat(32)}`

/** An inline directory, which Flux reads although it does not write it. */
const inline = (entries: Record<string, unknown>): Tree => raw('dir', entries)

const TREES: Record<string, Record<string, Tree>> = {
  'no entries': {},
  'a value': { a: raw('valref', [A]) },
  'a value of two blobs': { a: raw('valref', [A, B]) },
  'a directory': { a: raw('dirref', [B]) },
  'values of their own': { a: val('x'), b: val('') },
  'links whose targets look like references': { a: symlink('["sha1-'), b: symlink(`,"${A}"]`, `["${B}"]`) },
  'names that look like references': { [A]: val('x'), [`["${A}"]`]: raw('valref', [B]), 'a\\': raw('dirref', [A]) },
  'names with quotes, backslashes and other characters': {
    'a"b\\"': raw('valref', [A]),
    'ü\n\u0001': raw('dirref', [B]),
  },
  'inline directories': {
    a: inline({}),
    b: inline({ c: raw('valref', [A]), d: inline({ target: raw('dirref', [B]), e: inline({}) }) }),
    target: inline({ target: inline({}) }),
    z: raw('valref', [B]),
  },
}

describe('kvs/find-references', () => {
  for (const [what, entries] of Object.entries(TREES)) {
    it(`finds the same in ${what}, whether it is written as Flux does or not`, () => {
      const text = new Blobs().dirText(entries)
      const expected = { dirs: new Set<string>(), values: new Set<string>() }
      JSON.parse(text, (_, value) => {
        if (value?.type === 'dirref') for (const blobref of value.data) expected.dirs.add(blobref)
        if (value?.type === 'valref') for (const blobref of value.data) expected.values.add(blobref)
        return value
      })
      const sorted = { dirs: [...expected.dirs].sort(), values: [...expected.values].sort() }
      expect(referencesIn(text)).to.deep.equal(sorted)
      const other = JSON.stringify(JSON.parse(text), undefined, 1)
      expect(referencesIn(other)).to.deep.equal(sorted)
    })
  }

  it('takes names and members in any order', () => {
    const text = `{"type":"dir","ver":1,"data":{"b":{"ver":1,"type":"valref","data":["${A}"]}}}`
    expect(referencesIn(text)).to.deep.equal({ dirs: [], values: [A] })
  })

  it('finds SHA-256 digests', () => {
    const text = new Blobs('sha256').dirText({ a: raw('valref', [SHA256, SHA256]) })
    expect(referencesIn(text, 'sha256')).to.deep.equal({ dirs: [], values: [SHA256, SHA256] })
  })

  it('asks for a digest that no blob has where a blobref is of the other algorithm', () => {
    const text = new Blobs().dirText({ a: raw('valref', [SHA256]) })
    expect(referencesIn(text)).to.deep.equal({ dirs: [], values: [`sha1-${'0'.repeat(40)}`] })
  })

  const WRONG: Record<string, [text: string, kind: string]> = {
    'a value': [`{"data":"eA==","type":"val","ver":1}`, 'not-a-dir'],
    'a directory that is cut off': [
      new Blobs().dirText({ a: raw('valref', [A]), b: val('x') }).slice(0, 80),
      'bad-treeobj',
    ],
    'bytes after a directory': [`${new Blobs().dirText({ a: val('x') })} x`, 'bad-treeobj'],
    'an entry of a later version': [new Blobs().dirText({ a: raw('valref', [A], 2) }), 'bad-treeobj'],
    'an entry of an unknown type': [new Blobs().dirText({ a: raw('hologram', [A]) }), 'bad-treeobj'],
    'a blobref in capitals': [new Blobs().dirText({ a: raw('valref', [A.replaceAll('a', 'A')]) }), 'bad-treeobj'],
    'a dirref of two blobs': [new Blobs().dirText({ a: raw('dirref', [A, B]) }), 'bad-dirref'],
    nothing: ['', 'bad-treeobj'],
  }
  for (const [what, [text, kind]] of Object.entries(WRONG)) {
    it(`refuses ${what}`, () => {
      expect(() => referencesIn(text))
        .to.throw(TreeError)
        .with.property('kind', kind)
    })
  }

  it('keeps the digests of many references', () => {
    const blobs = new Blobs()
    const values = Array.from({ length: 3000 }, (_, i) => blobs.store(`value ${i}`))
    const entries = Object.fromEntries(values.map((blobref, i) => [`key${i}`, raw('valref', [blobref])]))
    expect(referencesIn(blobs.dirText(entries)).values).to.deep.equal(values.sort())
    expect(referencesIn(blobs.dirText({ d: dir({ v: valref('1') }) })).dirs).to.have.length(1)
  })
})
