import { expect } from 'chai'
import fc from 'fast-check'
import { parseEventlog } from '../../src/kvs/index.ts'

const SUBMIT = '{"timestamp":1.5,"name":"submit","context":{"userid":5588,"urgency":16}}'
const CLEAN = '{"timestamp":2,"name":"clean"}'

describe('kvs/eventlog', () => {
  it('takes a log apart', () => {
    expect(parseEventlog(`${SUBMIT}\n${CLEAN}\n`)).to.deep.equal({
      entries: [
        { timestamp: 1.5, name: 'submit', context: { userid: 5588, urgency: 16 }, text: SUBMIT },
        { timestamp: 2, name: 'clean', context: undefined, text: CLEAN },
      ],
      rest: undefined,
      bad: [],
    })
  })

  it('finds nothing in an empty log', () => {
    expect(parseEventlog('')).to.deep.equal({ entries: [], rest: undefined, bad: [] })
  })

  it('hands back a last line that is cut off, wherever it is cut', () => {
    const whole = `${SUBMIT}\n${CLEAN}\n`
    fc.assert(
      fc.property(fc.nat(whole.length), (length) => {
        const { entries, rest = '', bad } = parseEventlog(whole.slice(0, length))
        expect(bad).to.deep.equal([])
        expect(entries.map(({ text }) => `${text}\n`).join('') + rest).to.equal(whole.slice(0, length))
      }),
    )
  })

  for (const [line, reason] of [
    ['nonsense', 'not JSON'],
    ['', 'not JSON'],
    ['[]', 'not an object'],
    ['null', 'not an object'],
    ['{"name":"x"}', 'no timestamp'],
    ['{"timestamp":"1","name":"x"}', 'no timestamp'],
    ['{"timestamp":1}', 'no name'],
    ['{"timestamp":1,"name":"x","context":[]}', 'the context is not an object'],
    ['{"timestamp":1,"name":"x","context":null}', 'the context is not an object'],
  ] as const) {
    it(`refuses the line ${JSON.stringify(line)}, or reports it: ${reason}`, () => {
      const text = `${SUBMIT}\n${line}\n${CLEAN}\n`
      expect(() => parseEventlog(text))
        .to.throw(`line 2 of the eventlog: ${reason}`)
        .with.property('code', 'EINVAL')
      const { entries, bad } = parseEventlog(text, { tolerant: true })
      expect(entries.map(({ name }) => name)).to.deep.equal(['submit', 'clean'])
      expect(bad).to.deep.equal([{ line: 2, text: line, reason }])
    })
  }
})
