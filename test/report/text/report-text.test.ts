import { expect } from 'chai'
import { reportText } from '../../../src/report/index.ts'
import { TextPage } from '../../../src/report/text/page.ts'
import { fixture } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { jobEntries, reportOf } from '../../support/report-trees.ts'
import { Blobs, dir, val, valref } from '../../support/trees.ts'

const UTF8 = { LANG: 'C.UTF-8' }
const HOSTILE = 'a\u001b[2J\nb\u202ec\u0007'

async function hostileReport() {
  const jobs = [1, 2, 3].map((n) =>
    jobEntries(n, { name: HOSTILE, user: n, queue: HOSTILE, nodelist: 'n0', free: 1_700_000_000 + n * 1e5 }),
  )
  const reason = {
    timestamp: 1_699_999_000,
    name: 'drain',
    context: { idset: '0-70', nodelist: 'a-long-name[0-70]', reason: HOSTILE },
  }
  return reportOf(new Blobs(), {
    job: dir(Object.assign({}, ...jobs)),
    resource: dir({ eventlog: valref(`${JSON.stringify(reason)}\n`) }),
    [`${HOSTILE}${'k'.repeat(500)}`]: val('v'),
  })
}

describe('report --text', () => {
  it('fits the terminal, and holds all sections', async () => {
    for (const COLUMNS of ['', '60', '132']) {
      const { status, stdout } = await runInProcess(['report', '--text', fixture('jobs')], { ...UTF8, COLUMNS })
      expect(status).to.equal(0)
      const lines = stdout.toString().split('\n')
      for (const line of lines) expect(line.length).to.be.at.most(Number(COLUMNS || 80))
      expect(lines).to.include.members(['Snapshot', 'Health', 'Room', 'Work', 'Nodes', 'Events'])
      expect(stdout.toString()).to.include('40 jobs: 39 completed, 1 failed').and.to.include('█')
    }
  })

  it('is ASCII where the locale is not UTF-8', async () => {
    const { stdout } = await runInProcess(['report', '--text', fixture('jobs')], { LC_ALL: 'C' })
    expect(stdout.toString()).to.match(/^[\n\x20-\x7e]*$/)
    expect(stdout.toString()).to.include('f2CCFUrT').and.to.include('#')
  })

  it('escapes marks of direction and characters without width', () => {
    expect(new TextPage({}).plain('a\u200fb\u200bc\u202e')).to.equal('a\\u200fb\\u200bc\\u202e')
  })

  it('has no control characters, and no line is too long, whatever names users choose', async () => {
    const data = await hostileReport()
    for (const isAscii of [false, true]) {
      const lines = reportText(data, { isAscii, width: 80 })
      for (const line of lines) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
        expect(line).to.not.match(/[\u0000-\u001f\u007f-\u009f\u202e]/)
        expect([...line].length).to.be.at.most(80)
      }
      expect(lines.join('\n')).to.include('\\x1b[2J')
    }
  })

  it('shows the nodes that were drained as a line in time', async () => {
    const lines = reportText(await hostileReport(), { width: 80 })
    const row = lines.find((line) => line.startsWith('  a-long-name[0-70]'))
    expect(row).to.match(/ █+$/)
  })

  it('counts wide characters as the terminal shows them', async () => {
    const data = await reportOf(new Blobs(), {
      job: dir(jobEntries(1, { name: '計算'.repeat(40), user: 1, nodelist: 'n0' })),
    })
    const widthOf = (text: string) => [...text].reduce((sum, c) => sum + (c > '\u2e80' ? 2 : 1), 0)
    for (const line of reportText(data, { width: 80, widthOf })) expect(widthOf(line)).to.be.at.most(80)
  })

  it('shows what has changed', async () => {
    const { stdout } = await runInProcess(
      ['report', '--text', '--store', fixture('checkpoints'), '@0', '--compare', '@2'],
      UTF8,
    )
    const text = stdout.toString()
    expect(text)
      .to.include('Changes')
      .and.to.match(/keys: \d+ added, \d+ removed, \d+ changed/)
    expect(text).to.match(/BEFORE +NOW/)
  })
})
