import { expect } from 'chai'
import { lastEventTime } from '../../../src/inspect/roots/event-time.ts'

const time = (text: string) => lastEventTime(Buffer.from(text))

describe('inspect/roots/event-time', () => {
  it('is that of the last event, whatever comes before it', () => {
    expect(time('{"timestamp":1,"name":"a"}\n{"timestamp":2.5,"name":"b"}\n')).to.equal(2.5)
    expect(time('cut off","name":"a"}\n{"timestamp":3}\n')).to.equal(3)
    expect(time(`${'x'.repeat(100_000)}\n{"timestamp":4,"name":"b"}\n`)).to.equal(4)
  })

  it('is found when the timestamp is not the first member', () => {
    expect(time('{"name":"b","timestamp":2.5}\n')).to.equal(2.5)
    expect(time('{ "timestamp": 2.5, "name": "b" }\n')).to.equal(2.5)
  })

  for (const [what, text] of Object.entries({
    nothing: '',
    'a line end': '\n',
    'no line': '{"timestamp":1}',
    'no object': 'timestamp}\n',
    'no JSON': '{"name" "timestamp":1}\n',
    'an object without a time': '{"name":"a"}\n',
    'a time that is a text': '{"name":"a","timestamp":"1"}\n',
    'a time that is no number': '{"timestamp":1.2.3,"name":"a"}\n',
    'a negative time': '{"timestamp":-1,"name":"a"}\n',
    'an infinite time': '{"timestamp":1e999,"name":"a"}\n',
    'a last event of more than 64 KiB': `{"timestamp":1,"name":"${'x'.repeat(70_000)}"}\n`,
  })) {
    it(`is 0 for ${what}`, () => {
      expect(time(text)).to.equal(0)
    })
  }
})
