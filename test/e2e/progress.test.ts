/** The line that says how far a command is, on real terminals, over archives that come as slowly as the test likes. */
import { spawnSync } from 'node:child_process'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createArchive } from '../../src/archive/index.ts'
import { screenOf } from '../support/fake-terminal.ts'
import { scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv } from '../support/processes.ts'
import { Terminal } from '../support/terminal.ts'
import { ATTRIBUTES } from '../support/write-archive.ts'

const FLUX_TS = `'${process.execPath}' '${CLI}'`

/** Members in a third of the archive: more than are read in one go. */
const THIRD = 3000

/** An archive that is a pipe: what is read of it is what was fed. */
class SlowArchive implements AsyncDisposable {
  readonly #parts: readonly Buffer[]
  readonly #pipe: FileHandle
  #fed = 0

  /** Of three parts, of which the second has a member that the first has. It is fed when somebody reads `path`. */
  static async at(path: string): Promise<SlowArchive> {
    const whole = join(scratch(), 'whole.tar')
    await using archive = await createArchive(whole, { attributes: ATTRIBUTES })
    for (let i = 0; i < 3 * THIRD; i++) {
      archive.file(i === THIRD + 5 ? 'd/0' : `d/${i}`, 3, [Buffer.from('abc')])
      if (i % 100 === 0) await archive.flush()
    }
    await archive.finish()
    const bytes = await readFile(whole)
    const third = THIRD * 1024
    const parts = [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)]
    return new SlowArchive(parts, await open(path, 'w'))
  }

  private constructor(parts: readonly Buffer[], pipe: FileHandle) {
    this.#parts = parts
    this.#pipe = pipe
  }

  async feed(): Promise<void> {
    await this.#pipe.write(this.#parts[this.#fed++] as Buffer)
    if (this.#fed === this.#parts.length) await this.#pipe.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pipe.close().catch(() => {})
  }
}

function fifo(): string {
  const path = join(scratch(), 'slow.tar')
  expect(spawnSync('mkfifo', [path]).status).to.equal(0)
  return path
}

function terminalOf(command: string, env: Record<string, string> = {}, columns = 100): Terminal {
  return new Terminal(command, { cwd: scratch(), env: cleanEnv({ TERM: 'xterm', ...env }), columns })
}

const LINE = /Reading \S+slow\.tar: 2,\d+ keys/

describe('the progress line of a command', () => {
  it('stands on the terminal while it works, below what it says, and is gone in the end', async () => {
    const path = fifo()
    await using terminal = terminalOf(`${FLUX_TS} archive info '${path}'`)
    await using archive = await SlowArchive.at(path)
    await archive.feed()
    await terminal.until(LINE)
    expect(screenOf(terminal.raw).at(-1)).to.match(LINE)
    await archive.feed()
    await terminal.until(/appears twice/)
    await terminal.until(/Reading .*slow\.tar: 5,\d+ keys/)
    const meanwhile = screenOf(terminal.raw)
    expect(meanwhile.at(-1)).to.match(/^Reading \S+slow\.tar: 5,\d+ keys/)
    expect(meanwhile.slice(0, -1)).to.deep.equal(['flux-ts archive info: d/0: appears twice; the last one counts'])
    await archive.feed()
    expect(await terminal.ended()).to.equal(0)
    const screen = screenOf(terminal.raw)
    expect(screen[0]).to.equal('flux-ts archive info: d/0: appears twice; the last one counts')
    expect(screen[1]).to.match(/^archive: +\S+slow\.tar$/)
    expect(screen.join('\n')).to.match(/\nwarnings: +1\n$/)
    expect(screen.join('\n')).not.to.include('Reading')
  })

  for (const command of ['kvs ls -1 d --archive FIFO', 'diff archive:FIFO archive:FIFO', 'dump x.tar --archive FIFO']) {
    it(`shows how far an archive has been read: ${command}`, async () => {
      const path = fifo()
      await using terminal = terminalOf(`${FLUX_TS} ${command.replaceAll('FIFO', path)}`)
      await using archive = await SlowArchive.at(path)
      await archive.feed()
      await terminal.until(LINE)
      await archive.feed()
      await archive.feed()
      expect(await terminal.ended()).to.equal(0)
      expect(screenOf(terminal.raw).join('\n')).not.to.include('Reading')
    })
  }

  it('is gone when the command is interrupted', async () => {
    const path = fifo()
    await using terminal = terminalOf(`${FLUX_TS} kvs ls --archive '${path}'`)
    await using archive = await SlowArchive.at(path)
    await archive.feed()
    await terminal.until(LINE)
    terminal.type('\x03')
    await terminal.until(/interrupted/)
    // A read of a pipe that is under way ends with the pipe.
    await archive[Symbol.asyncDispose]()
    expect(await terminal.ended()).to.equal(130)
    expect(screenOf(terminal.raw).filter((line) => line !== '' && line !== '^C')).to.deep.equal([
      'flux-ts kvs ls: interrupted by SIGINT',
    ])
  })

  it('fits a terminal of 40 columns', async () => {
    const path = fifo()
    await using terminal = terminalOf(`${FLUX_TS} archive info '${path}'`, {}, 40)
    await using archive = await SlowArchive.at(path)
    await archive.feed()
    await terminal.until(/Reading.*: 2,\d+ keys/)
    expect(screenOf(terminal.raw).at(-1)?.length).to.be.at.most(39)
  })

  it('is nowhere where nobody could see it, or wants to', async () => {
    const commands: [string, Record<string, string>?][] = [
      ['kvs ls --archive FIFO 2>stderr'],
      ['kvs ls --json --archive FIFO'],
      ['diff -q archive:FIFO archive:FIFO'],
      ['kvs ls --archive FIFO', { TERM: 'dumb' }],
      ['kvs ls --archive FIFO', { CI: 'true' }],
    ]
    const silent = commands.map(([command, env]) => {
      const path = fifo()
      const line = `sh -c "${FLUX_TS} ${command.replaceAll('FIFO', path)}; cat stderr 2>/dev/null"`
      return { path, terminal: terminalOf(line, env) }
    })
    const archives = []
    for (const { path } of silent) {
      const archive = await SlowArchive.at(path)
      await archive.feed()
      archives.push(archive)
    }
    // By the time that this one shows its line, which began after all the others, they would have shown theirs.
    const path = fifo()
    await using control = terminalOf(`${FLUX_TS} kvs ls --archive '${path}'`)
    archives.push(await SlowArchive.at(path))
    await archives.at(-1)?.feed()
    await control.until(LINE)
    for (const archive of archives) {
      await archive.feed()
      await archive.feed()
    }
    for (const { terminal } of silent) {
      await terminal.ended()
      expect(terminal.raw).not.to.include('Reading')
      await terminal[Symbol.asyncDispose]()
    }
    await control.ended()
  })
})
