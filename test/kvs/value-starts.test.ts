import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { decodeTreeObj, type Valref } from '../../src/kvs/treeobj.ts'
import { loadStarts } from '../../src/kvs/value-starts.ts'
import { scratch } from '../support/fixtures.ts'
import { Blobs, MemoryStore, raw, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const LOST = `sha1-${'1'.repeat(40)}`

/** The values of a directory. */
function childrenOf(blobs: Blobs, rootref: string): Parameters<typeof loadStarts>[1] {
  const { data } = decodeTreeObj(Buffer.from(blobs.get(rootref) as Uint8Array))
  return Object.entries(data as Record<string, Valref>).map(([key, obj]) => ({ key, obj }))
}

/** The first bytes of values, as texts or as the messages of errors. */
async function startsOf(values: Record<string, Tree>, bytes: number): Promise<unknown[]> {
  const blobs = new Blobs()
  const starts = await loadStarts(new MemoryStore(blobs), childrenOf(blobs, blobs.tree(values)), bytes)
  return starts.map((start) => {
    if (start instanceof Error) return start.message
    return start && (start.length > 50 ? `${start.length} bytes` : Buffer.from(start).toString())
  })
}

describe('kvs/value-starts', () => {
  it('is the beginning of each value, over as many blobs as it takes', async () => {
    const values = { a: val('inline'), b: valref('one blob'), c: valref('a', 'b', 'cdef', 'g'), d: valref('') }
    expect(await startsOf(values, 4)).to.deep.equal(['inline', 'one ', 'abcdefg', ''])
  })

  it('is the error of each value that cannot be read, beside those that can', async () => {
    const blobs = new Blobs()
    const half = blobs.store('half')
    const values = {
      a: raw('val', '?'),
      b: raw('valref', [LOST]),
      c: raw('valref', [half, LOST]),
      d: valref('half'),
    }
    expect(await startsOf(values, 10)).to.deep.equal([
      'a: invalid value object: Invalid argument',
      `b: missing blobref 0: No such file or directory (${LOST})`,
      `c: missing blobref 1: No such file or directory (${LOST})`,
      'half',
    ])
  })

  it('reads a blob that is too large to load with others', async () => {
    const blobs = new Blobs()
    const large = Buffer.alloc(20 << 20, 'text')
    const rootref = blobs.tree({ a: valref('a'), b: valref(large), c: valref('c'), d: valref('d', large) })
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    await using store = await openStore(path)
    const starts = await loadStarts(store, childrenOf(blobs, rootref), 1000)
    const [a, b, c, d] = starts.map((start) => Buffer.from(start as Uint8Array))
    expect([a, c].map(String)).to.deep.equal(['a', 'c'])
    for (const [start, before] of [
      [b, ''],
      [d, 'd'],
    ] as const) {
      expect(start?.length).to.be.within(1000, 4 << 20)
      expect(start?.toString('latin1', 0, 1000)).to.equal(`${before}${'text'.repeat(250)}`.slice(0, 1000))
    }
  })

  it('leaves out values beyond 16 MiB, and gives one at least', async () => {
    const values = Object.fromEntries([0, 1, 2, 3].map((i) => [`k${i}`, valref(Buffer.alloc(12 << 20, i))]))
    const starts = await startsOf(values, 12 << 20)
    expect(starts.filter((start) => start !== undefined)).to.have.length(2)
    const whole = await startsOf({ a: valref(Buffer.alloc(20 << 20, 'x')) }, 20 << 20)
    expect(whole).to.deep.equal([`${20 << 20} bytes`])
  })
})
