/* biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what is looked for. */
/** What a person sees, on terminals of all kinds. */
import { join } from 'node:path'
import { expect } from 'chai'
import { showTasks } from '../../src/cli/task-list.ts'
import type { Dump } from '../../src/dump/dump.ts'
import { dumpTasks } from '../../src/dump/tasks.ts'
import { partTexts } from '../../src/errors/index.ts'
import type { Restore } from '../../src/restore/restore.ts'
import { restoreTasks } from '../../src/restore/tasks.ts'
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
      expect(await shownOn(env)).to.match(/^(flux-ts dump: archived \d+ keys\r\n)+$/)
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
        isWhole ? 'Walk: at most 30 s left, 25% of the store, 7 keys' : 'Walk: 7 keys',
        'Walk: 7 keys',
      ])
    })
  }

  it('tells the time that is left within 50 columns', () => {
    const facts = partTexts({ part: 0.01, seconds: 401, left: 'at most', of: 'of the store' })
    const title = `⠸ Walk: ${facts.join(', ')}`
    expect(title).to.match(/^⠸ Walk: at most 11 h 1 min left, /)
    expect(title.indexOf('left') + 'left'.length).to.be.below(50)
  })
})

describe('progress of a restore', () => {
  const restore = (part: number | undefined) => {
    const [opened, read, committed] = [
      Promise.withResolvers<object>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<object>(),
    ]
    const progress = { keys: 1234, blobs: 1, bytes: 43_114_324 }
    const phases = { opened: opened.promise, read: read.promise, committed: committed.promise, progress, part }
    return { restore: phases as unknown as Restore, opened, read, committed }
  }

  for (const [part, seconds, text] of [
    [0.428, 0.5, '42% of the archive, '],
    [0.25, 10, 'about 30 s left, 25% of the archive, '],
    [1, 10, 'about 1 s left, 99% of the archive, '],
    [undefined, 10, ''],
  ] as const) {
    it(`tells ${part === undefined ? 'no' : 'the'} part of an archive of which ${part ?? 'nothing'} is known`, async () => {
      const { restore: run, read } = restore(part)
      let milliseconds = 0
      const now = () => {
        const time = milliseconds
        milliseconds = seconds * 1000
        return time
      }
      const { tasks } = restoreTasks(run, { live: true, target: 'nowhere', now })
      const titles: string[] = []
      const task = {
        set title(title: string) {
          titles.push(title)
          read.resolve()
        },
      }
      await tasks[1]?.task(undefined, task as never)
      const counts = '1,234 keys, 1 blob, 43.1 MB'
      expect(titles).to.deep.equal([`Store: ${text}${counts}`, `Store: ${counts}`])
    })
  }

  it('keeps members that come before their task has begun', () => {
    const { restore: run } = restore(undefined)
    const { tasks, printMembers } = restoreTasks(run, { live: false, target: 'nowhere', now: () => 0 })
    printMembers(['a', 'b'])
    const outputs: string[] = []
    const task = {
      set output(text: string) {
        outputs.push(text)
      },
    }
    void tasks[1]?.task(undefined, task as never)
    printMembers(['c\u001b'])
    expect(outputs).to.deep.equal(['a\nb', 'c\\x1b'])
  })

  it('begins with a phase when the one before it is over', async () => {
    const { restore: run, opened, read, committed } = restore(undefined)
    const { tasks } = restoreTasks(run, { live: false, target: 'nowhere', now: () => 0 })
    const begun: string[] = []
    const told = tasks.map((task) => ({
      ...task,
      task: (context: unknown, wrapper: never) => {
        begun.push(String(task.title))
        return task.task(context, wrapper)
      },
    }))
    const shown = showTasks(told as typeof tasks, 'quiet', () => '', { concurrent: false })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    await turn()
    expect(begun).to.deep.equal(['Open archive'])
    opened.resolve({ format: 'tar', filter: 'none' })
    while (begun.length < 2) await turn()
    await turn()
    expect(begun).to.deep.equal(['Open archive', 'Store'])
    read.resolve()
    committed.resolve({ rootref: 'sha1-x' })
    await shown
    expect(begun).to.deep.equal(['Open archive', 'Store', 'Commit'])
  })

  it('is painted on a terminal, and says how far it was', async () => {
    const dir = scratch()
    const command = `'${process.execPath}' '${CLI}' restore --store '${join(dir, 'content.sqlite')}' '${fixture('jobs', 'dump.tgz')}'`
    const options = { cwd: dir, env: cleanEnv({ TERM: 'xterm', NO_COLOR: '1' }), columns: 120 }
    await using terminal = new Terminal(command, options)
    expect(await terminal.ended()).to.equal(0)
    expect(terminal.text).to.match(/✔ Store: [\d,]+ keys, [\d,]+ blobs, [\d.]+ kB/)
  })
})

describe('content checkpoint list', () => {
  it('fits a terminal of 80 columns, and is that of flux content in a pipe', async () => {
    const store = fixture('checkpoints', 'content.sqlite')
    const command = `'${process.execPath}' '${CLI}' content checkpoint list --store '${store}'`
    await using terminal = new Terminal(command, { env: cleanEnv({ TERM: 'xterm' }), columns: 80 })
    expect(await terminal.ended()).to.equal(0)
    const lines = terminal.text.trimEnd().split('\n')
    expect(lines).to.have.length(6)
    for (const line of lines) expect(line.length, line).to.be.at.most(80)
    expect(lines[1]).to.match(/^0 +\d+ +\S+Z {2}sha1-[0-9a-f]{8}…$/)
    const { stdout } = fluxTs(['content', 'checkpoint', 'list', '--store', store])
    expect(stdout.toString()).to.match(/^0 {10}\d+ +\S+Z sha1-[0-9a-f]{40}$/m)
  })
})
