/** docs/export.md says what an export has, and its SQL works. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { COLUMNS } from '../../src/export/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { duckRows, exportSnapshot, rows } from '../support/exports.ts'
import { fixture, scratch } from '../support/fixtures.ts'

const text = readFileSync(fileURLToPath(new URL('../../docs/export.md', import.meta.url)), 'utf8')

const TYPES: Readonly<Record<string, string>> = {
  text: 'text',
  integer: 'whole number',
  id: 'whole number',
  real: 'number',
  boolean: 'true or false',
  time: 'time',
  json: 'JSON',
  list: 'list',
}

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code as string)
}

async function exported(name: string, append = false): Promise<string> {
  const path = join(scratch(), name)
  await using store = await openStore(fixture('jobs', 'content.sqlite'))
  await exportSnapshot(await resolveRoot(store), { path, append })
  return path
}

describe('docs/export.md', () => {
  it('describes the columns, in their order', () => {
    const described = [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \| (.+) \|$/gm)].map(([, ...row]) => row)
    expect(described.filter(([name]) => COLUMNS.some((column) => column.name === name))).to.deep.equal(
      COLUMNS.map(({ name, type, description }) => [name, TYPES[type], description]),
    )
  })

  for (const sql of blocks('sql')) {
    it(`has SQL that finds something: ${sql.split('\n')[0]}`, async () => {
      expect(rows(await exported('jobs.sqlite'), sql)).not.to.have.length(0)
    })
  }

  for (const sql of blocks('duckdb')) {
    it(`has SQL for DuckDB that finds something: ${sql.split('\n')[0]}`, async () => {
      const path = await exported('history.parquet', true)
      expect(await duckRows(sql.replace('history.parquet', path))).not.to.have.length(0)
    })
  }

  it('has a command that names the jobs of a database, with their events and nodes', async () => {
    const path = await exported('jobs.sqlite')
    const [, statements] = /^sqlite3 jobs\.sqlite "(.*)"$/m.exec(text) as RegExpExecArray
    const count = (cluster: string) =>
      ['jobs', 'events', 'job_nodes'].map(
        (table) => rows(path, `SELECT count(*) AS n FROM ${table} WHERE cluster = '${cluster}'`)[0]?.n,
      )
    const before = count('')
    const db = new DatabaseSync(path)
    db.exec(statements as string)
    db.close()
    expect(count('')).to.deep.equal([0, 0, 0])
    expect(count('NAME')).to.deep.equal(before)
  })
})
