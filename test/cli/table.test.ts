import { expect } from 'chai'
import { Table } from '../../src/cli/index.ts'
import { printed } from '../support/in-process.ts'

interface Row {
  name: string
  size: string
}

const COLUMNS = [
  { title: 'NAME', text: ({ name }: Row) => name },
  { title: 'SIZE', text: ({ size }: Row) => size, right: true },
]

/** A table of rows, added one by one. */
function table(rows: readonly Row[], forPeople: boolean): Promise<string> {
  return printed(async () => {
    const table = new Table(COLUMNS, forPeople)
    for (const row of rows) await table.add([row])
    await table.end()
  })
}

describe('cli/table', () => {
  const rows = [
    { name: 'a', size: '1' },
    { name: 'λλλλ', size: '' },
    { name: 'b\n\x1b[2J', size: '1234' },
  ]

  it('is in columns under their titles on a terminal, numbers to the right', async () => {
    expect((await table(rows, true)).split('\n')).to.deep.equal([
      'NAME        SIZE',
      'a              1',
      'λλλλ           -',
      'b\\n\\x1b[2J  1234',
      '',
    ])
  })

  it('counts the columns of wide characters', async () => {
    const wide = [
      { name: '流れ', size: '1' },
      { name: 'abcd', size: '2' },
    ]
    expect((await table(wide, true)).split('\n')).to.deep.equal(['NAME  SIZE', '流れ     1', 'abcd     2', ''])
  })

  it('is a record a line elsewhere, with tabs between and no titles', async () => {
    expect((await table(rows, false)).split('\n')).to.deep.equal(['a\t1', 'λλλλ\t-', 'b\\n\\x1b[2J\t1234', ''])
  })

  it('prints nothing when it has no rows', async () => {
    expect(await table([], true)).to.equal('')
    expect(await table([], false)).to.equal('')
  })

  it('takes its widths from the first rows, and prints longer ones that come later as they are', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ name: `k${i % 10}`, size: '1' }))
    const lines = (await table([...many, { name: 'a longer name', size: '2' }], true)).trimEnd().split('\n')
    expect(lines).to.have.length(1002)
    expect(lines[1]).to.equal('k0       1')
    expect(lines.at(-1)).to.equal('a longer name     2')
  })
})
