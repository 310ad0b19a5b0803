import { expect } from 'chai'
import fc from 'fast-check'
import { parseJson } from '../../src/bytes/index.ts'
import { plainEvent } from '../../src/kvs/eventlog.ts'
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
    ['"text"', 'not an object'],
    ['{"name":"x"}', 'no timestamp'],
    ['{"timestamp":"1","name":"x"}', 'no timestamp'],
    ['{"timestamp":1}', 'no name'],
    ['{"timestamp":1,"name":"x","context":[]}', 'the context is not an object'],
    ['{"timestamp":1,"name":"x","context":null}', 'the context is not an object'],
    ['{"timestamp":1,"name":"x","context":"text"}', 'the context is not an object'],
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

  it('reads a line as JSON, also where it is nearly in the form of Flux', () => {
    const lines = [
      SUBMIT,
      CLEAN,
      '{"timestamp":1795458311.155256,"name":"alloc","context":{"annotations":{"sched":{"s":"rank0/core0"}}}}',
      '{"timestamp":1795458311.4332373,"name":"release","context":{"ranks":"all","final":true}}',
      '{"timestamp":1795458311.1,"name":"memo","context":{"id":9007199254740993}}',
      '{"timestamp":1.5,"name":"x","context":{},"timestamp":2}',
      '{"timestamp":1.5,"name":"x","name":"y"}',
    ]
    const pieces = fc.constantFrom('', '"', '}', '{', '\\', '.', '0', ',', ':', '5', ' ', 'e1', '{}', '"name":"z"', '-')
    const mutated = fc
      .tuple(fc.constantFrom(...lines), fc.nat(100), fc.nat(3), pieces)
      .map(([line, at, cut, piece]) => line.slice(0, at) + piece + line.slice(at + cut))
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...lines), mutated), (line) => {
        const [entry] = parseEventlog(`${line}\n`, { tolerant: true }).entries
        let value: Record<string, unknown> | undefined
        try {
          value = parseJson(line) as Record<string, unknown>
        } catch {
          // Not JSON.
        }
        const expected = value && {
          timestamp: Number(value.timestamp),
          name: value.name,
          context: value.context,
          text: line,
        }
        if (entry) expect(entry).to.deep.equal(expected)
        else expect(isEvent(value), line).to.equal(false)
      }),
      { numRuns: 5000 },
    )
  })

  for (const [time, name, context] of [
    ['1795458311.155256', 'alloc', '{"annotations":{"sched":{"s":"rank0/core0"}}}'],
    ['1023456789.9876543210', 'memo', '{}'],
    ['123456789012345.12345678901234567890', 'a.B-c_9', '{"id":9007199254740993}'],
    ['9', '', undefined],
    ['90.5', 'clean', undefined],
  ] as const) {
    const text = `{"timestamp":${time},"name":"${name}"${context === undefined ? '' : `,"context":${context}`}}`
    it(`reads only the context as JSON in ${text}`, () => {
      const parsed = context === undefined ? undefined : parseJson(context)
      expect(plainEvent(text)).to.deep.equal({ timestamp: Number(time), name, context: parsed, text })
    })
  }

  for (const text of [
    '',
    '{"timesTamp":1.5,"name":"x"}',
    ' {"timestamp":1.5,"name":"x"}',
    '{"timestamp": 1.5,"name":"x"}',
    '{"timestamp":0,"name":"x"}',
    '{"timestamp":01,"name":"x"}',
    '{"timestamp":.5,"name":"x"}',
    '{"timestamp":1.,"name":"x"}',
    '{"timestamp":1.5.5,"name":"x"}',
    '{"timestamp":-1,"name":"x"}',
    '{"timestamp":1e5,"name":"x"}',
    '{"timestamp":1/2,"name":"x"}',
    '{"timestamp":1:2,"name":"x"}',
    '{"timestamp":,"name":"x"}',
    '{"timestamp":1234567890123456,"name":"x"}',
    '{"timestamp":1.123456789012345678901,"name":"x"}',
    '{"timestamp":1.5,"nime":"x"}',
    '{"timestamp":1.5,"name":"x}',
    '{"timestamp":1.5,"name":"a b"}',
    '{"timestamp":1.5,"name":"a\\"}',
    '{"timestamp":1.5,"name":"x"]',
    '{"timestamp":1.5,"name":"x" }',
    '{"timestamp":1.5,"name":"x","nontext":{}}',
    '{"timestamp":1.5,"name":"x","context":{}]',
    '{"timestamp":1.5,"name":"x","context":{}',
    '{"timestamp":1.5,"name":"x","context":{},"more":1}',
    '{"timestamp":1.5,"name":"x","context":[]}',
    '{"timestamp":1.5,"name":"x","context":"{}"}',
  ]) {
    it(`reads all as JSON in ${text}`, () => {
      expect(plainEvent(text)).to.equal(undefined)
    })
  }

  it('takes no line that is nested deeper than Flux reads', () => {
    const event = (levels: number) =>
      `{"timestamp":1,"name":"memo","context":{"a":${'['.repeat(levels)}"]]]"${']'.repeat(levels)}}}\n`
    expect(parseEventlog(event(2046)).entries).to.have.length(1)
    for (const levels of [2047, 100_000]) {
      const [bad] = parseEventlog(event(levels), { tolerant: true }).bad
      expect(bad).to.include({ line: 1, reason: 'nested too deeply' })
    }
  })
})

function isEvent(value: Record<string, unknown> | undefined): boolean {
  const { timestamp, name, context = {} } = value ?? {}
  const isObject = typeof context === 'object' && context !== null && !Array.isArray(context)
  return ['number', 'bigint'].includes(typeof timestamp) && typeof name === 'string' && isObject
}
