import { hash } from 'node:crypto'
import { expect } from 'chai'
import { LimitCount, MAX_SHARED_KEYS } from '../../src/kvs/walk-limits.ts'

const blobrefOf = (n: number) => `sha1-${hash('sha1', `${n}`)}`

/** Visit directories. @returns after how many it was time to count them; undefined when it never was */
function dueAfter(limit: LimitCount, visits: Iterable<number>): number | undefined {
  let count = 0
  for (const n of visits) {
    count++
    if (limit.isCountDue(blobrefOf(n))) return count
  }
  return undefined
}

function* repeated(different: number, times: number): Generator<number> {
  for (let time = 0; time < times; time++) for (let n = 0; n < different; n++) yield n
}

describe('kvs/walk-limits', () => {
  it('has a tree counted when its directories come again and again, be they few or many', () => {
    expect(dueAfter(new LimitCount(), repeated(31, 1000))).to.equal(4096)
    const limit = new LimitCount()
    const due = dueAfter(limit, repeated(20_000, 20))
    expect(due).to.be.within(80_000, 240_000)
    expect(limit.countable).to.equal(due)
  })

  it('never has a tree counted in which each directory comes once, or hardly more often', () => {
    expect(dueAfter(new LimitCount(), repeated(100_000, 1))).to.equal(undefined)
    expect(dueAfter(new LimitCount(), repeated(30_000, 3))).to.equal(undefined)
  })

  it('has it counted again only when twice as much has been visited', () => {
    const limit = new LimitCount()
    expect(dueAfter(limit, repeated(10, 1000))).to.equal(4096)
    limit.judge({ keys: 50_000, stored: 100, directories: 10 })
    expect(dueAfter(limit, repeated(10, 1000))).to.equal(4096)
    expect(dueAfter(limit, repeated(10, 819))).to.equal(undefined)
  })

  it('refuses sooner what is stored a hundred times smaller than it looks, unless a limit is given', () => {
    const shared = { keys: MAX_SHARED_KEYS + 1, stored: 1000, directories: 10 }
    expect(() => new LimitCount().judge(shared)).to.throw('10,000,001 values, links and directories, in 10 directories')
    new LimitCount({ maxKeys: MAX_SHARED_KEYS + 1 }).judge(shared)
    new LimitCount().judge({ ...shared, stored: 1_000_000 })
    new LimitCount().judge({ ...shared, keys: MAX_SHARED_KEYS })
  })

  it('says so where the sum is larger than a number can tell exactly', () => {
    const endless = { keys: Number.MAX_SAFE_INTEGER, stored: 1, directories: 1 }
    expect(() => new LimitCount().judge(endless)).to.throw('more than 9,007,199,254,740,991 values')
  })

  it('refuses what cannot be counted when it has gone through ten million keys of few directories', () => {
    const limit = new LimitCount()
    dueAfter(limit, repeated(10, 1000))
    limit.add(MAX_SHARED_KEYS)
    limit.judge(undefined)
    limit.add(1)
    expect(() => limit.judge(undefined)).to.throw('more than 10000000 values, links and directories')
    const asked = new LimitCount({ maxKeys: 2 * MAX_SHARED_KEYS })
    dueAfter(asked, repeated(10, 1000))
    asked.add(MAX_SHARED_KEYS + 1)
    asked.judge(undefined)
  })

  it('goes on where one directory comes again and again among others that come once', () => {
    const limit = new LimitCount()
    const hex = (n: number) => n.toString(16).padStart(8, '0')
    const digest = (end: string) => `sha1-${'7'.repeat(32)}${end}`
    // Its digest is one of those that are kept in mind, however many there are.
    const empty = digest(hex(0))
    for (let n = 1; n <= 600_000; n++) {
      limit.isCountDue(digest(hex(Math.imul(n, 0x9e3779b1) >>> 0)))
      limit.isCountDue(empty)
    }
    limit.add(MAX_SHARED_KEYS + 1)
    limit.judge(undefined)
  })

  it('refuses a selection of what is shared, but not of a tree that has many keys where it is stored', () => {
    const limit = new LimitCount()
    dueAfter(limit, repeated(2, 10_000))
    limit.add(MAX_SHARED_KEYS + 1)
    // Equal directories, such as empty ones, under many names.
    limit.judge({ keys: 11_000_000, stored: 11_000_000, directories: 2 }, true)
    const shared = { keys: Number.MAX_SAFE_INTEGER, stored: 100, directories: 50 }
    expect(() => limit.judge(shared, true)).to.throw('more than 10000000 values, links and directories')
    // A filter may leave few of the keys.
    new LimitCount().judge(shared, true)
    new LimitCount({ maxKeys: 1 }).judge(shared, true)
  })
})
