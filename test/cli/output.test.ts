import { expect } from 'chai'
import { LineWriter, Output, outputWidth, shown, shownLines } from '../../src/cli/index.ts'
import { printed } from '../support/in-process.ts'
import { run } from '../support/processes.ts'

describe('cli/output', () => {
  it('prints text and bytes in the order in which they are given', async () => {
    const text = await printed(async () => {
      const output = new Output()
      await output.write('a')
      await output.writeContent(Buffer.from([0x62]))
      await output.write('c\n')
    })
    expect(text).to.equal('abc\n')
  })

  it('is as wide as the terminal, else as COLUMNS says, else 80, unless a width is asked for', () => {
    const { COLUMNS } = process.env
    const { isTTY, columns } = process.stdout
    try {
      process.stdout.isTTY = false
      for (const [value, width] of [
        ['120', 120],
        ['0', 0],
        ['wide', 0],
        ['-5', 0],
        ['', 80],
      ] as const) {
        process.env.COLUMNS = value
        expect(outputWidth(undefined), `COLUMNS=${value}`).to.equal(width)
      }
      delete process.env.COLUMNS
      expect(outputWidth(undefined)).to.equal(80)
      expect(outputWidth(7)).to.equal(7)
      process.stdout.isTTY = true
      process.stdout.columns = 33
      expect(outputWidth(undefined)).to.equal(33)
      expect(outputWidth(0)).to.equal(0)
    } finally {
      Object.assign(process.stdout, { isTTY, columns })
      if (COLUMNS !== undefined) process.env.COLUMNS = COLUMNS
    }
  })

  it('shows names as they are in a pipe, and without control characters on a terminal', async () => {
    const [name, text] = ['a\x1b[2J', 'one\ttab\ntwo\x07\n']
    await printed(() => expect([shown(name), shownLines(text)]).to.deep.equal([name, text]))
    await printed(() => {
      expect([shown(name), shownLines(text)]).to.deep.equal(['a\\x1b[2J', 'one\ttab\ntwo\\x07\n'])
    }, true)
  })
})

describe('cli/line-writer', () => {
  it('gathers lines, each with its prefix and on one line, and writes them when there are many', () => {
    const written: string[] = []
    const writer = new LineWriter({ write: (text) => written.push(text) }, 'p: ')
    writer.write('a', 'b\nc')
    expect(written).to.deep.equal([])
    writer.flush()
    writer.flush()
    expect(written).to.deep.equal(['p: a\np: b\\nc\n'])
    let lines = 0
    while (written.length < 2 && lines++ < 100_000) writer.write('x'.repeat(60))
    expect(written).to.have.length(2)
    expect(written[1])
      .to.match(/^(p: x{60}\n)+$/)
      .and.have.length.below(70_000)
  })
})

describe('cli/stdin-lines', () => {
  it('gives lines without their ends, the last one too when nothing ends it', () => {
    const url = new URL('../../src/cli/stdin-lines.ts', import.meta.url)
    const script = `import { stdinLines } from '${url}'
const lines = []
for await (const line of stdinLines()) lines.push(line)
console.log(JSON.stringify(lines))`
    const lines = (input: string) =>
      JSON.parse(run(process.execPath, ['--input-type=module', '-e', script], Buffer.from(input)).toString())
    expect(lines('a\nb\r\n\nλ')).to.deep.equal(['a', 'b', '', 'λ'])
    expect(lines('')).to.deep.equal([])
  })
})
