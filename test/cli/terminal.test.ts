/* biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what is looked for. */
/** What a person sees, on terminals of all kinds. */
import { join } from 'node:path'
import { expect } from 'chai'
import type { Dump } from '../../src/dump/dump.ts'
import { dumpTasks, leftText } from '../../src/dump/tasks.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'
import { Terminal } from '../support/terminal.ts'

const COMMAND = `'${process.execPath}' '${CLI}' dump --store '${fixture('jobs', 'content.sqlite')}'`

/** Dump on a terminal. @returns all that came out, control sequences included */
async function shownOn(env: Record<string, string>, columns = 100): Promise<string> {
  const dir = scratch()
  const options = { cwd: dir, env: cleanEnv({ TERM: 'xterm', ...env }), columns }
  await using terminal = new Terminal(`${COMMAND} '${join(dir, 'x.tar')}'`, options)
  await terminal.until(/archived \d+ keys/)
  expect(await terminal.ended()).to.equal(0)
  return terminal.raw
}

describe('progress', () => {
  it('is painted on a terminal, in colours', async () => {
    const shown = await shownOn({})
    expect(shown)
      .to.match(/\x1b\[3\dm/)
      .and.match(/Walk: \d+ keys/)
  })

  it('has no colours with NO_COLOR', async () => {
    const shown = await shownOn({ NO_COLOR: '1' })
    expect(shown).not.to.match(/\x1b\[[34]\dm/)
    expect(shown).to.match(/Walk: \d+ keys/)
  })

  for (const env of [{ TERM: 'dumb' }, { CI: 'true' }]) {
    it(`is plain lines with ${Object.entries(env).flat().join('=')}`, async () => {
      expect(await shownOn(env)).to.match(/^flux-ts dump: archived \d+ keys\r\n$/)
    })
  }

  it('keeps to the width of the window', async () => {
    const lines = (await shownOn({ NO_COLOR: '1' }, 40)).split(/\r?\n|\r/)
    const titles = lines.map((line) => line.replaceAll(/\x1b\[[\d;?]*[A-Za-z]/g, '')).filter((line) => /:/.test(line))
    for (const title of titles) expect(title.length, title).to.be.at.most(40)
    expect(titles.join('\n')).to.match(/Resolve root: .*…/)
  })

  it('is not an archive: none is written to a terminal', async () => {
    const options = { env: cleanEnv({ TERM: 'xterm' }) }
    await using terminal = new Terminal(`${COMMAND} -`, options)
    await terminal.until(/for more information/)
    expect(await terminal.ended()).to.equal(2)
    expect(terminal.text).to.match(/^flux-ts dump: an archive is not written to a terminal; name a file, or /)
  })

  it('is silent with --json, wherever stderr goes', async () => {
    const { stderr } = fluxTs(['dump', '--json', '--store', fixture('basic'), join(scratch(), 'x.tar')])
    expect(stderr).to.equal('')
  })

  for (const isWhole of [true, false]) {
    it(`${isWhole ? 'tells' : 'does not tell'} it of a dump of ${isWhole ? 'everything' : 'a part'}`, async () => {
      const walked = Promise.withResolvers<void>()
      const dump = { isWhole, walked: walked.promise, progress: { walked: 7, loaded: 250 } } as unknown as Dump
      let seconds = 0
      const { tasks } = dumpTasks(dump, { live: true, now: () => 10_000 * seconds++, objects: () => 1000 })
      const titles: string[] = []
      const task = {
        set title(title: string) {
          titles.push(title)
          walked.resolve()
        },
      }
      await tasks[1]?.task(undefined, task as never)
      expect(titles).to.deep.equal([
        isWhole ? 'Walk: 7 keys, 25% of the store, at most 30 s left' : 'Walk: 7 keys',
        'Walk: 7 keys',
      ])
    })
  }

  it('tells how much of a store has been read, and the most that is left', () => {
    expect(leftText(250, 1000, 10)).to.equal(', 25% of the store, at most 30 s left')
    expect(leftText(10, 1000, 10)).to.equal(', 1% of the store, at most 16 min 30 s left')
    // A blob that is loaded twice may count twice.
    expect(leftText(1200, 1000, 100)).to.equal(', 99% of the store, at most 2 s left')
    for (const [loaded, objects, seconds] of [
      [10, undefined, 10],
      [0, 1000, 10],
      [10, 1000, 0.5],
      [10, 0, 10],
    ] as const) {
      expect(leftText(loaded, objects, seconds)).to.equal('')
    }
  })
})
