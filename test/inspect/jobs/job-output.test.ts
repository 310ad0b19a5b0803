import { expect } from 'chai'
import { type OutputStream, type TaskOutputOptions, taskOutput } from '../../../src/inspect/index.ts'

const event = (name: string, context: object) => `${JSON.stringify({ timestamp: 1, name, context })}\n`
const data = (rank: string, text: string, more: object = {}) =>
  event('data', { stream: 'stdout', rank, data: text, ...more })

/** The output, from a record that comes in pieces of some bytes. */
async function output(text: string, options?: TaskOutputOptions, stream: OutputStream = 'stdout', size = 5) {
  const bytes = Buffer.from(text)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield [bytes.subarray(at, at + size)]
  }
  const pieces: Uint8Array[] = []
  for await (const piece of taskOutput(chunks(), stream, options)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** As two tasks wrote it: `printf 'a\xff\xfeb\nabc'`. Flux itself prints it so with `flux job attach --label-io`. */
const RECORD =
  event('header', { version: 1, encoding: { stdout: 'UTF-8', stderr: 'UTF-8' } }) +
  data('0', 'Yf/+Ygo=', { encoding: 'base64' }) +
  data('1', 'Yf/+Ygo=', { encoding: 'base64' }) +
  data('0', 'abc') +
  event('data', { stream: 'stdout', rank: '0', eof: true }) +
  data('1', 'abc') +
  data('[0-1]', 'ü\n') +
  event('data', { stream: 'stderr', rank: '1', data: 'oh\n' })

describe('inspect/job-output', () => {
  it('puts the ranks in front of each piece, as flux job attach does', async () => {
    const line = Buffer.from('61fffe620a', 'hex')
    const label = (text: string) => Buffer.from(text)
    expect(await output(RECORD, { label: true })).to.deep.equal(
      Buffer.concat([label('0: '), line, label('1: '), line, label('0: abc1: abc[0-1]: ü\n')]),
    )
    expect((await output(RECORD, { label: true }, 'stderr')).toString()).to.equal('1: oh\n')
    expect(await output(RECORD)).to.deep.equal(Buffer.concat([line, line, label('abcabcü\n')]))
  })

  it('labels nothing where nothing was written', async () => {
    expect((await output(data('3', '') + data('3', 'x\n'), { label: true })).toString()).to.equal('3: x\n')
  })

  it('tells where output was redirected to, once for each event of the stream', async () => {
    const paths: string[] = []
    const text = event('redirect', { stream: 'stdout', rank: '[0-1]', path: '/home/out.txt' })
    const both = text + text.replace('"stdout"', '"stderr"')
    await output(both, { onElsewhere: (path) => paths.push(path) })
    expect(paths).to.deep.equal(['/home/out.txt'])
  })
})
