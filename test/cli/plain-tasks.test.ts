import { expect } from 'chai'
import { plainTasks } from '../../src/cli/plain-tasks.ts'
import type { DumpPhase } from '../../src/dump/index.ts'

/** Run tasks. @returns what was printed, and the tasks in the order in which they began and ended */
async function outcome(
  verbosity: 'quiet' | 'normal' | 'verbose',
  { concurrent = true, fails = false }: { concurrent?: boolean; fails?: boolean } = {},
) {
  const events: string[] = []
  const printed: string[] = []
  const task = (title: string): DumpPhase => ({
    title,
    task: async (_, shown) => {
      events.push(`${title} begins`)
      shown.title = `${title} has begun`
      await new Promise((resolve) => setImmediate(resolve))
      shown.output = `of ${title}`
      events.push(`${title} ends`)
      if (fails) throw new Error(title)
    },
  })
  const print = (text: string) => printed.push(text)
  await plainTasks([task('a'), task('b')], { verbosity, concurrent, print, status: () => 'two keys' })
  return { printed: printed.join(''), events }
}

describe('tasks where no line can be painted again', () => {
  it('are shown by a status line at the end', async () => {
    expect((await outcome('normal')).printed).to.equal('two keys\n')
  })

  it('are shown by their output with verbose, and not at all with quiet', async () => {
    expect((await outcome('verbose')).printed).to.equal('of a\nof b\n')
    expect((await outcome('quiet')).printed).to.equal('')
  })

  it('run at once, or one after the other', async () => {
    expect((await outcome('quiet')).events).to.deep.equal(['a begins', 'b begins', 'a ends', 'b ends'])
    const { events } = await outcome('quiet', { concurrent: false })
    expect(events).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('all run when one fails, and then there is no status line', async () => {
    const { printed, events } = await outcome('normal', { concurrent: false, fails: true })
    expect({ printed, count: events.length }).to.deep.equal({ printed: '', count: 4 })
  })
})
