import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ProgressLine } from '../../src/cli/progress-line.ts'
import { FakeTerminal } from '../support/fake-terminal.ts'
import { scratch } from '../support/fixtures.ts'

function shownLine() {
  const terminal = new FakeTerminal()
  const line = new ProgressLine(terminal)
  let count = 0
  line.show(() => `count ${count}`)
  return { terminal, line, counted: (to: number) => (count = to) }
}

describe('the progress line', () => {
  it('comes after half a second, and not before', () => {
    const { terminal } = shownLine()
    terminal.pass(499)
    expect(terminal.raw).to.equal('')
    terminal.pass(1)
    expect(terminal.screen).to.deep.equal(['count 0'])
  })

  it('is painted ten times a second at most, and only when it has changed', () => {
    const { terminal, counted } = shownLine()
    terminal.pass(1000)
    expect(terminal.raw.match(/count/g)).to.have.length(1)
    for (let n = 1; n <= 1000; n++) {
      counted(n)
      terminal.pass(1)
    }
    expect(terminal.raw.match(/count/g)).to.have.length(11)
    expect(terminal.screen).to.deep.equal(['count 1000'])
  })

  it('leaves nothing behind: no text, no timer, no hook', () => {
    const terminal = new FakeTerminal()
    const writes = [terminal.stdout.write, terminal.stderr.write]
    const line = new ProgressLine(terminal)
    line.show(() => 'something')
    terminal.pass(1000)
    expect(terminal.screen).to.deep.equal(['something'])
    line.end()
    line.end()
    expect(terminal.screen).to.deep.equal([''])
    expect(terminal.isBusy).to.equal(false)
    expect([terminal.stdout.write, terminal.stderr.write]).to.deep.equal(writes)
    const { raw } = terminal
    terminal.pass(1000)
    expect(terminal.raw).to.equal(raw)
  })

  for (const name of ['stdout', 'stderr'] as const) {
    it(`makes way for what is written to ${name}, and comes back below it`, () => {
      const { terminal, counted } = shownLine()
      terminal.pass(600)
      terminal[name].write('k: is damaged\n')
      expect(terminal.screen).to.deep.equal(['k: is damaged', ''])
      counted(1)
      terminal.pass(499)
      expect(terminal.screen).to.deep.equal(['k: is damaged', ''])
      terminal.pass(101)
      expect(terminal.screen).to.deep.equal(['k: is damaged', 'count 1'])
      terminal[name].write(Buffer.from('another\n'))
      expect(terminal.screen).to.deep.equal(['k: is damaged', 'another', ''])
    })
  }

  it('waits for the end of a line that somebody else has begun', () => {
    const { terminal } = shownLine()
    terminal.stdout.write('half of ')
    terminal.pass(5000)
    expect(terminal.screen).to.deep.equal(['half of '])
    terminal.stdout.write(Buffer.from('a line\n'))
    terminal.pass(600)
    expect(terminal.screen).to.deep.equal(['half of a line', 'count 0'])
  })

  it('is told how much room it has, without the last column, whatever the terminal is', () => {
    const terminal = new FakeTerminal()
    const rooms: number[] = []
    new ProgressLine(terminal).show((columns) => `${rooms.push(columns)}`)
    for (const columns of [100, 40, 0]) {
      terminal.stderr.columns = columns
      terminal.pass(500)
    }
    expect([...new Set(rooms)]).to.deep.equal([99, 39, 79])
  })

  it('goes when there is nothing to say any more', () => {
    const terminal = new FakeTerminal()
    let text: string | undefined = 'something'
    new ProgressLine(terminal).show(() => text)
    terminal.pass(600)
    text = undefined
    terminal.pass(100)
    expect(terminal.screen).to.deep.equal([''])
  })

  it('stands beside results that go into a file', () => {
    const { terminal } = shownLine()
    const fd = openSync(join(scratch(), 'out'), 'w')
    Object.assign(terminal.stdout, { isTTY: false, fd, write: () => true })
    terminal.pass(600)
    terminal.stdout.write('a result\n')
    terminal.pass(600)
    expect(terminal.screen).to.deep.equal(['count 0'])
    closeSync(fd)
  })

  it('goes for good when results begin that a pager may show', () => {
    const terminal = new FakeTerminal()
    const fifo = join(scratch(), 'fifo')
    expect(spawnSync('mkfifo', [fifo]).status).to.equal(0)
    const fd = openSync(fifo, 'r+')
    Object.assign(terminal.stdout, { isTTY: false, fd, write: (text: string) => writeFileSync(fd, text) })
    new ProgressLine(terminal).show(() => 'count 0')
    terminal.pass(600)
    expect(terminal.screen).to.deep.equal(['count 0'])
    terminal.stdout.write('a result\n')
    expect(terminal.screen).to.deep.equal([''])
    terminal.pass(5000)
    expect(terminal.screen).to.deep.equal([''])
    closeSync(fd)
  })
})
