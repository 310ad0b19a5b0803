import { expect } from 'chai'
import { printJobTable } from '../../src/cli/job-table.ts'
import { compileFormat, type Job, JobRows } from '../../src/inspect/index.ts'
import { printed } from '../support/in-process.ts'

const CONTEXT = { utc: true, now: 0, nameOf: String }

/** The table of one job, as a terminal of so many columns gets it. */
async function onTerminal(name: string, columns: number, width?: number): Promise<string> {
  const rows = new JobRows(compileFormat('{name}', CONTEXT))
  const job: Job = { id: 1n, state: 'RUN', name, dependencies: [], problems: [] }
  rows.add(job)
  const before = process.stdout.columns
  process.stdout.columns = columns
  try {
    return await printed(() => printJobTable(rows, { format: '', 'no-header': true, color: 'never', width }), true)
  } finally {
    process.stdout.columns = before
  }
}

describe('cli/job-table', () => {
  it('cuts lines at the width of the terminal, in columns and not in characters', async () => {
    expect(await onTerminal('abcdef', 6)).to.equal('abcdef\n')
    expect(await onTerminal('abcdefg', 6)).to.equal('abcde+\n')
    expect(await onTerminal('日本語', 6)).to.equal('日本語\n')
    expect(await onTerminal('日本語日', 6)).to.equal('日本+\n')
  })

  it('does not cut lines on a terminal that does not know its size', async () => {
    expect(await onTerminal('abcdefg', 0)).to.equal('abcdefg\n')
    expect(await onTerminal('abcdefg', 0, 0)).to.equal('abcdefg\n')
    expect(await onTerminal('abcdefg', 0, 3)).to.equal('ab+\n')
  })
})
