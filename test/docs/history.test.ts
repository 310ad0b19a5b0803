/**
 * The commands and the SQL of docs/history.md, run on the jobs of a cluster: on a snapshot, and on the export that the page
 * makes of it. They must agree with each other.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { generateJobsStore } from '../../bench/generate-jobs-store.ts'
import { duckRows } from '../support/exports.ts'
import { writeJobsStore } from '../support/job-trees.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/history.md', import.meta.url)), 'utf8')

/** Days begin at another time than in UTC, and the clock changes within the history. */
const TIME_ZONE = 'America/New_York'

type Row = Record<string, unknown>

/** The blocks of one language in a section of the page. */
function blocks(section: string, language: string): string[] {
  const [, text] = PAGE.split(new RegExp(`^## (?:\\d+\\. )?${section}.*$`, 'm'))
  const own = text?.split(/^## /m)[0] ?? ''
  const found = [...own.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  return found.filter(([, name]) => name === language).map(([, , code]) => (code as string).trim())
}

describe('docs/history.md', () => {
  let cwd: string
  let env: Record<string, string>
  let failed: string

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'flux-ts-history-'))
    env = cleanEnv({ TZ: TIME_ZONE, PATH: `${cwd}/bin:${process.env.PATH}`, LC_ALL: 'C.UTF-8' })
    const store = join(cwd, 'store.sqlite')
    await generateJobsStore(store, { jobs: 4000, restored: true })
    const { status, stderr } = fluxTs(['dump', '-q', '--store', store, join(cwd, 'kvs.tgz')])
    expect(status, stderr).to.equal(0)
    spawnSync('mkdir', [join(cwd, 'bin')])
    writeFileSync(join(cwd, 'bin/flux-ts'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 })
    // The page makes the database that it asks.
    const [keep] = blocks('Keep everything', 'sh')
    expect(shell(keep as string)).to.equal('')
    failed = String(
      sql("SELECT jobid FROM jobs WHERE result = 'FAILED' AND waitstatus = 512 ORDER BY id LIMIT 1")[0]?.jobid,
    )
  })
  after(() => rmSync(cwd, { recursive: true, force: true }))

  /** The page names a user and a job that the cluster does not have. */
  const named = (text: string) => text.replaceAll('alice', '5000').replaceAll('ƒ2CCFUrT', failed)

  /** Run a command of the page. @returns what it prints */
  function shell(command: string): string {
    const result = spawnSync('sh', ['-c', named(command)], { cwd, env, maxBuffer: 1 << 28 })
    const { status, stdout, stderr } = result
    const complaints = stderr.toString().replace(/^flux-ts jobs export: (?:wrote .*|.* unchanged)\n/, '')
    expect({ status, complaints }, command).to.deep.equal({ status: 0, complaints: '' })
    return stdout.toString()
  }

  /** The ids in the lines of a command that lists jobs. */
  const idsIn = (text: string) => [...text.matchAll(/^\s*(ƒ[1-9A-Za-z]+)\b/gm)].map(([, id]) => id as string)

  /** Run a query of the page in a process with the time zone of the commands. */
  function sql(query: string, file = 'history.sqlite'): Row[] {
    const program = `const { DatabaseSync } = require('node:sqlite')
      const rows = new DatabaseSync('${file}', { readOnly: true }).prepare(process.argv[1]).all()
      console.log(JSON.stringify(rows))`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program, '--', named(query)], {
      cwd,
      env: { ...env, NODE_NO_WARNINGS: '1' },
      maxBuffer: 1 << 28,
    })
    expect(status, `${query}\n${stderr}`).to.equal(0)
    return JSON.parse(stdout.toString())
  }

  /** The command of a question, and the rows of its query; there is one of each. */
  function question(title: string): { command: string; rows: Row[] } {
    const [[command, ...others], [query, ...more]] = [blocks(title, 'sh'), blocks(title, 'sql')]
    expect([command, query, ...others, ...more], title).to.have.length(2)
    const rows = sql(query as string)
    expect(rows, title).not.to.deep.equal([])
    return { command: command as string, rows }
  }

  /** The groups that `jobs stats` prints with `--json`. */
  function groupsOf(command: string): { group: Row; nodeHours: number; jobCount: number; wait: { median: number } }[] {
    // It is what people read, too.
    expect(shell(command)).not.to.equal('')
    return JSON.parse(shell(`${command} --json`)).groups
  }

  it('says which jobs ran on a node', () => {
    const { command, rows } = question('Which jobs ran on this node')
    const listed = idsIn(shell(command))
    const ran = rows.map(({ jobid }) => jobid)
    expect(listed).to.include.members(ran)
    // The others did not hold the node before the end of the week, or only waited to be cleaned up.
    const others = listed.filter((id) => !ran.includes(id))
    const late = sql(
      `SELECT jobid FROM jobs WHERE jobid IN (${others.map((id) => `'${id}'`).join()}) AND t_alloc >= strftime('%s', '2026-11-09', 'utc') + 0`,
    )
    expect(others).to.have.members(late.map(({ jobid }) => jobid))
  })

  it('says who used the machine', () => {
    const { command, rows } = question('Who used the machine')
    const used = groupsOf(command).filter(({ nodeHours }) => nodeHours > 0)
    expect(rows).to.have.length(used.length)
    for (const { username, node_hours } of rows) {
      const found = used.find(({ group }) => group.user === username)
      expect(found?.nodeHours, String(username)).to.be.closeTo(node_hours as number, 1e-3)
    }
  })

  it('says why a job failed', () => {
    const { command, rows } = question('Why did this job fail')
    expect(rows).to.have.length(1)
    expect(rows[0]).to.include({ status: 'FAILED', returncode: 2 })
    expect(shell(command)).to.match(/^FAILED: +exit code 2\b/m)
  })

  it('says how the wait has grown', () => {
    const { command, rows } = question('How has the wait grown')
    const groups = groupsOf(`${command} --filter inactive`)
    let compared = 0
    for (const { queue, month, jobs, median } of rows) {
      const found = groups.find(({ group }) => group.queue === queue && group.month === month)
      expect(found, `${queue} ${month}`).not.to.equal(undefined)
      // The middle of an even number of waits lies between two.
      if ((jobs as number) % 2 === 0 || found?.jobCount !== jobs) continue
      compared++
      expect(found?.wait.median, `${queue} ${month}`).to.be.closeTo(median as number, 0.01 * (median as number) + 1e-3)
    }
    expect(compared).to.be.greaterThan(0)
  })

  it('says what was running', () => {
    const { command, rows } = question('What was running')
    expect(idsIn(shell(command))).to.have.members(rows.map(({ jobid }) => jobid))
  })

  it('says which jobs of a user failed', () => {
    const { command, rows } = question('Which jobs of this user failed')
    expect(idsIn(shell(command))).to.have.members(rows.map(({ jobid }) => jobid))
  })

  it('says which jobs ran longest', () => {
    const { command, rows } = question('Which jobs ran longest')
    const listed = idsIn(shell(command))
    const runtimes = sql(`SELECT runtime FROM jobs WHERE jobid IN (${listed.map((id) => `'${id}'`).join()})`)
    const ascending = (numbers: number[]) => numbers.map((hours) => hours.toFixed(3)).sort()
    expect(ascending(runtimes.map(({ runtime }) => (runtime as number) / 3600))).to.deep.equal(
      ascending(rows.map(({ hours }) => hours as number)),
    )
  })

  it('says how many node-hours each bank used in each month', () => {
    const { command, rows } = question('How many node-hours')
    const used = groupsOf(command).filter(({ nodeHours }) => nodeHours > 0)
    for (const { bank, month, node_hours } of rows) {
      const found = used.find(({ group }) => group.bank === bank && group.month === month)
      expect(found?.nodeHours, `${bank} ${month}`).to.be.closeTo(node_hours as number, 1e-3)
    }
    expect(used).to.have.length(rows.length)
  })

  it('says on which nodes most jobs fail', () => {
    const { command, rows } = question('On which nodes')
    const counts = shell(command)
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[2]))
    expect(counts).to.deep.equal(rows.map(({ failed }) => failed))
  })

  it('says which jobs waited longest', () => {
    const { command, rows } = question('Which jobs waited longest')
    expect(idsIn(shell(command))).to.deep.equal(rows.map(({ jobid }) => jobid))
  })

  it('counts the node-hours of jobs whose R or free event is lost as jobs stats does', () => {
    const submit = Date.UTC(2026, 8, 10) / 1000
    const ended = [{ name: 'finish', context: { status: 0 } }, { name: 'clean' }]
    writeJobsStore(join(cwd, 'odd.sqlite'), [
      { id: 1n, submit },
      { id: 2n, submit: submit + 60 * 86400 },
      { id: 3n, submit, lost: ['R'] },
      { id: 4n, submit, until: 'run', events: ended },
      { id: 5n, submit: submit + 86400, until: 'submit' },
    ])
    const run = (...args: string[]) => fluxTs(['jobs', ...args, '--store', join(cwd, 'odd.sqlite')], { cwd, env })
    // The exit status tells that R is lost.
    expect(run('export', 'odd-history.sqlite').status).to.equal(1)
    for (const title of ['Who used the machine', 'How many node-hours']) {
      const [[command = ''], [query = '']] = [blocks(title, 'sh'), blocks(title, 'sql')]
      const args = command.split(' ').slice(2)
      args.splice(args.indexOf('--archive'), 2)
      const { groups } = JSON.parse(run(...args, '--json').stdout.toString())
      const sum = (rows: Row[], name: string) => rows.reduce((all, row) => all + (row[name] as number), 0)
      const hours = sum(groups, 'nodeHours')
      expect(hours, title).to.be.greaterThan(0)
      expect(sum(sql(query, 'odd-history.sqlite'), 'node_hours'), title).to.be.closeTo(hours, 1e-5)
    }
  })

  it('has SQL for the SQLite of old systems', () => {
    expect(PAGE).not.to.include('unixepoch(')
  })

  it('asks ten questions, and no other is left out here', () => {
    expect(PAGE.match(/^## \d+\. /gm)).to.have.length(10)
    expect(PAGE.match(/^```sql$/gm)).to.have.length(10)
    expect(PAGE.match(/^```sh$/gm)).to.have.length(12)
  })

  it('keeps the jobs of many clusters in Parquet files', async () => {
    const [command] = blocks('Many clusters', 'sh')
    shell(command as string)
    symlinkSync('fluke.parquet', join(cwd, 'history/other.parquet'))
    const [used, nodes] = await Promise.all(
      blocks('Many clusters', 'duckdb').map((query) => duckRows(query.replaceAll("'history/", `'${cwd}/history/`))),
    )
    const users = sql(
      'SELECT username, 2 * sum(nnodes * (t_free - t_alloc)) / 3600 AS hours FROM jobs WHERE t_free IS NOT NULL GROUP BY username',
    )
    expect(used).to.have.length(users.length)
    for (const { username, hours } of users) {
      const found = used?.find((row) => row.username === username)
      expect(found?.cluster).to.equal('fluke')
      expect(found?.node_hours as number, String(username)).to.be.closeTo(hours as number, 1e-3)
    }
    const most = question('On which nodes').rows.map(({ failed: count }) => String(2 * (count as number)))
    expect(nodes?.map(({ failed: count }) => String(count))).to.deep.equal(most)
  })
})
