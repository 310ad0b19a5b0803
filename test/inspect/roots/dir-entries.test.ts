import { expect } from 'chai'
import { random } from '../../../bench/random.ts'
import { DigestTable } from '../../../src/inspect/roots/digest-table.ts'
import { DirEntries } from '../../../src/inspect/roots/dir-entries.ts'
import { Blobs, dir, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

/** All entries, as a reader that has read nothing before gives them. */
function entriesOf(table: DigestTable, blob: Uint8Array): object[] {
  const entries = new DirEntries(table)
  expect(entries.read(blob)).to.equal(true)
  return listed(entries)
}

function listed({ size, types, names, times, ends, refs }: DirEntries): object[] {
  return Array.from({ length: size }, (_, i) => ({
    type: types[i],
    name: names[i],
    time: times[i],
    refs: [...refs.subarray(i === 0 ? 0 : ends[i - 1], ends[i])],
  }))
}

describe('inspect/roots, the entries of a directory', () => {
  const blobs = new Blobs()
  const values = Array.from({ length: 50 }, (_, i) =>
    valref(...Array.from({ length: 1 + (i % 3) }, (_, k) => `${i} ${k}`)),
  )
  const KINDS: readonly Tree[] = [
    ...values,
    val(''),
    val('x'.repeat(99)),
    val('{"timestamp":12.5,"name":"x"}\n'),
    symlink('a"b', 'ns'),
    dir({}),
    raw('dirref', [blobs.store('1'), blobs.store('2')]),
  ]
  const table = new DigestTable('sha1')
  before(() => {
    for (const tree of KINDS) blobs.tree({ tree })
    for (const blobref of blobs.keys()) table.add(blobref)
  })

  it('are the same when versions of it were read before, however they differ', () => {
    const rand = random(7)
    const next = (most: number) => Math.floor(rand() * most)
    const names = [
      'eventlog',
      'job',
      'J',
      'type',
      'data',
      'ver',
      'a"b',
      ...Array.from({ length: 400 }, (_, i) => `n${i}`),
    ]
    const pick = () => KINDS[next(KINDS.length)] as Tree
    const tree: Record<string, Tree> = Object.fromEntries(names.map((name) => [name, pick()]))
    const entries = new DirEntries(table)
    for (let version = 0; version < 400; version++) {
      // Add, remove and replace entries: few or many, anywhere, also the first and the last.
      for (let change = next(4) === 0 ? next(40) : next(3); change >= 0; change--) {
        const name = next(5) === 0 ? `new${next(1000)}` : (names[next(names.length)] as string)
        if (next(3) === 0) delete tree[name]
        else tree[name] = pick()
      }
      const text = new Blobs()
      const blob = text.get(text.tree(tree)) as Uint8Array
      expect(entries.read(blob), `version ${version}`).to.equal(true)
      expect(listed(entries), `version ${version}`).to.deep.equal(entriesOf(table, blob))
    }
  })

  it('are told from an end that looks like an entry', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`n${i}`, values[i % 50] as Tree]))
    const entries = new DirEntries(table)
    const blobOf = (tree: Record<string, Tree>) => {
      const text = new Blobs()
      return text.get(text.tree(tree)) as Uint8Array
    }
    for (const tree of [{ ...many, type: val('') }, many, { ...many, type: val('') }, { ...many, z: val('') }, many]) {
      const blob = blobOf(tree)
      expect(entries.read(blob)).to.equal(true)
      expect(listed(entries)).to.deep.equal(entriesOf(table, blob))
    }
  })

  it('are not read from text that is no directory, whatever was read before', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`n${i}`, values[i % 50] as Tree]))
    const text = new Blobs()
    const blob = Buffer.from(text.get(text.tree(many)) as Uint8Array)
    const entries = new DirEntries(table)
    expect(entries.read(blob)).to.equal(true)
    const end = '},"type":"dir","ver":1}'
    const body = blob.subarray(0, -end.length).toString()
    const wrong = [
      `${body},${end}`,
      `${body}}${end}`,
      `${body}${end}\n`,
      body,
      body.replace('"n77":', '"n77"'),
      body.replace('"n77":', 'n77:'),
      body.replace('},"n77"', '}"n77"'),
      body.replace('},"n77"', '},,"n77"'),
      body.slice(0, -5) + end,
      body.replace('sha1-', 'sha9-') + end,
      body.replace(/sha1-[0-9a-f]{2}/, 'sha1-AB') + end,
    ]
    for (const [i, one] of wrong.entries()) expect(entries.read(Buffer.from(one)), `text ${i}`).to.equal(false)
    expect(entries.read(blob)).to.equal(true)
  })
})
