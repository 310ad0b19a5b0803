/** The texts of lists of hosts and sets of ranks. */
import { Hostlist, Idset } from '../../../src/resource/index.ts'
import { assertSame, type Target } from '../target.ts'

/** Longer lists are only measured: listing ten million hosts takes seconds. */
const LISTED = 1000
const MOST_CHARS = 100_000

function firstOf<T>(all: Iterable<T>): T[] {
  const first: T[] = []
  for (const each of all) if (first.push(each) >= LISTED) break
  return first
}

export const hostlists: Target = {
  name: 'hostlists',
  share: 0.25,
  // Names with something behind their brackets are held one by one.
  budgetBytes: 64 << 20,
  maxBytes: 96 << 10,
  tokens: ['[', ']', ',', '-', '[0-3]', '[00-09]', '[1,3,5]', '[0-100]', ' ', '\t', '999999999999999', 'node', '😀'],
  seeds: () =>
    [
      'node[0-3,5]',
      'a,b,c[01-10]',
      'rack[1-2]node[0-3]-ib[0,1]',
      'n1,n2,n03 n4\tx',
      'foo[9-11,0009]bar',
      '',
      '[0-9]'.repeat(3),
      'a[0]'.repeat(20_000),
    ].map((text) => Buffer.from(text)),
  run(input) {
    const list = Hostlist.parse(input.toString())
    if (list === undefined) return
    const text = list.toString()
    // A list of a million names, each for itself.
    if (text.length > MOST_CHARS) return
    const again = Hostlist.parse(text)
    assertSame(again?.size, list.size, `size of ${text}`)
    const hosts = firstOf(list)
    assertSame(firstOf(again as Hostlist), hosts, 'the hosts of a list and of its text')
    if (hosts.length > 0) assertSame([list.at(0), list.at(hosts.length - 1)], [hosts[0], hosts.at(-1)], 'by index')
    list.intersects(again as Hostlist)
    if (hosts.length < LISTED) assertSame(firstOf(Hostlist.of(hosts)), hosts, 'a list of the same hosts')
  },
  isExpected: () => false,
}

export const idsets: Target = {
  name: 'idsets',
  budgetBytes: 4 << 20,
  tokens: ['[', ']', ',', '-', '0-3', '2147483647', '2147483648', '1,3,5,7', '00', ',,'],
  seeds: () => ['0-3,7', '[0-3,7-9]', '0', '', '1,3,5,7-2147483647'].map((text) => Buffer.from(text)),
  run(input) {
    const set = Idset.parse(input.toString())
    if (set === undefined) return
    for (const text of [set.toString(), set.toBracketed()])
      assertSame(Idset.parse(text)?.toString(), set.toString(), text)
    assertSame(Idset.union([set, set]).toString(), set.toString(), 'the union of a set with itself')
    assertSame(set.intersects(set), set.size > 0, 'a set and itself')
    const ids = firstOf(set)
    if (ids.length < LISTED)
      assertSame(Idset.of([...ids].reverse()).toString(), set.toString(), 'a set of the same ids')
  },
  isExpected: () => false,
}
