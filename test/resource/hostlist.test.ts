import { expect } from 'chai'
import { Hostlist } from '../../src/resource/index.ts'

/** Numbers from 0 to below 1 that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('resource/hostlist', () => {
  for (const [text, hosts, short] of [
    ['', [], ''],
    ['a', ['a'], 'a'],
    ['foo1,foo2,foo3', ['foo1', 'foo2', 'foo3'], 'foo[1-3]'],
    ['foo[1-3,7]', ['foo1', 'foo2', 'foo3', 'foo7'], 'foo[1-3,7]'],
    ['node[9-10],node11', ['node9', 'node10', 'node11'], 'node[9-11]'],
    ['n[08-10]', ['n08', 'n09', 'n10'], 'n[08-10]'],
    ['n9,n10,n[08-09]', ['n9', 'n10', 'n08', 'n09'], 'n[9-10,08-09]'],
    ['n[1-2]-ib', ['n1-ib', 'n2-ib'], 'n1-ib,n2-ib'],
    ['node1,node1,node2', ['node1', 'node1', 'node2'], 'node[1,1-2]'],
    [' a\tb,, c ', ['a', 'b', 'c'], 'a,b,c'],
    ['n[1-,3]', ['n1', 'n3'], 'n[1,3]'],
    ['[1-2]', ['1', '2'], '[1-2]'],
    // Two pairs of brackets: RFC 29 has them, flux-core 0.88 takes the second for a part of the name.
    ['r[1-2]n[1-2]', ['r1n1', 'r1n2', 'r2n1', 'r2n2'], 'r1n[1-2],r2n[1-2]'],
  ] as const) {
    it(`reads ${JSON.stringify(text)} and writes it short`, () => {
      const list = Hostlist.parse(text) as Hostlist
      expect([...list]).to.deep.equal(hosts)
      expect(list.size).to.equal(hosts.length)
      expect(String(list)).to.equal(short)
      expect(hosts.map((_, i) => list.at(i))).to.deep.equal(hosts)
      expect([list.at(-1), list.at(hosts.length)]).to.deep.equal([undefined, undefined])
    })
  }

  for (const text of ['a[', 'a]', 'a[1-0]', 'n[x]', 'n[1', 'n[1,,2]', 'n[1]]', 'n[1-2][', 'n[0-2000000]']) {
    it(`refuses ${text}`, () => {
      expect(Hostlist.parse(text)).to.equal(undefined)
    })
  }

  it('does not fill the memory with names from a short text', () => {
    expect(Hostlist.parse('a[0-9999]b[0-9999]c[0-9999]')).to.equal(undefined)
    expect(Hostlist.parse('a[0-999999],b[0-999999],c[0-999999]')?.size).to.equal(3_000_000)
  })

  it('reads back what it writes, whatever the names are', () => {
    const next = numbers(29)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T
    for (let round = 0; round < 2000; round++) {
      const hosts = Array.from({ length: Math.floor(next() * 8) }, () => {
        const number = String(Math.floor(next() * 13)).padStart(pick([1, 2, 3]), '0')
        return pick(['n', 'node', 'a-', 'x1y', 'n0', '']) + pick([number, number, number, 'x', `${number}-ib`])
      })
      const text = String(Hostlist.of(hosts))
      expect([...(Hostlist.parse(text) ?? [])], text).to.deep.equal(hosts)
    }
  })

  it('takes no name with more brackets than any host has', () => {
    expect(Hostlist.parse(`a${'[1]'.repeat(16)}`)?.size).to.equal(1)
    expect(Hostlist.parse(`a${'[1]'.repeat(17)}`)).to.equal(undefined)
    expect(Hostlist.parse(`a${'[1]'.repeat(100_000)}`)).to.equal(undefined)
  })

  it('knows whether two lists have a host in common', () => {
    const parse = (text: string) => Hostlist.parse(text) as Hostlist
    for (const [a, b] of [
      ['n[1-4]', 'n[4-9]'],
      ['n[01-20]', 'n7'],
      ['n[008-012]', 'n[09-11]'],
      ['n[08-12]', 'n10'],
      ['login,n[1-4]', 'x,login'],
      ['n1', 'n2'],
      ['n[1-9]-ib', 'n3-ib,n4'],
      ['a[1-2]b[1-2]', 'a2b[2-3]'],
      ['', 'n1'],
      ['n[0-5]', 'm[0-5]'],
      ['n[99-101]', 'n[0099-0101]'],
    ] as const) {
      const expected = [...parse(a)].some((host) => [...parse(b)].includes(host))
      expect(parse(a).intersects(parse(b)), `${a} and ${b}`).to.equal(expected)
      expect(parse(b).intersects(parse(a)), `${b} and ${a}`).to.equal(expected)
    }
  })

  it('refuses a bracket that closes nothing, also before one that opens', () => {
    for (const text of ['][0]', 'a]b[0-1]', 'n[0]][1]']) expect(Hostlist.parse(text), text).to.equal(undefined)
  })

  it('refuses a name that stands for more hosts than are held one by one', () => {
    expect(Hostlist.parse(`${'[0-9]'.repeat(7)}x`)).to.equal(undefined)
  })
  it('bounds the names of a whole text that are held one by one, and their characters', () => {
    expect(Hostlist.parse('a[0-99999]x,'.repeat(2))?.size).to.equal(200_000)
    expect(Hostlist.parse('a[0-99999]x,'.repeat(11))).to.equal(undefined)
    expect(Hostlist.parse(`a[0-999]${'x'.repeat(100_000)}`)).to.equal(undefined)
  })

  it('reads a name of many digits in one go', () => {
    // With a regular expression that begins anew at each digit this takes a minute for each of the names.
    const name = `${'1'.repeat(100_000)}x`
    expect(Hostlist.parse(`[0-9]${name}`)?.size).to.equal(10)
  })
})
