/** Stores that were rescued, and a real Flux that is started from them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { has, runAside } from '../support/processes.ts'

const JOBS = 50
const LIST = `flux jobs -a -n -c0 -o '{id.dec} {name} {status}'`

const start = (statedir: string, script: string) =>
  runAside('flux', ['start', `-Sstatedir=${statedir}`, 'sh', '-c', script])

const listed = (stdout: Buffer | string) => stdout.toString().trim().split('\n').toSorted()

if (has('flux')) {
  describe('conformance of rescued stores', () => {
    it('gives back the jobs of a broker that was killed, and higher ids to new ones', async () => {
      const statedir = join(scratch(), 'state')
      mkdirSync(statedir)
      const submit = `flux submit --quiet --cc=1-${JOBS} --wait true`
      const killed = await start(statedir, `${submit}; ${LIST}; flux content flush; kill -9 $(flux getattr broker.pid)`)
      const before = listed(killed.stdout)
      expect(before).to.have.length(JOBS)
      const out = join(scratch(), 'out')
      const rescued = await runInProcess(['rescue', '--json', '--store', statedir, '--out', out])
      expect(rescued.status, rescued.stderr).to.equal(0)
      expect(JSON.parse(rescued.stdout.toString())).to.include({ jobCount: JOBS, lostKeyCount: 0 })

      const again = await start(out, `${LIST}; echo; flux job id --to=dec $(flux submit true)`)
      expect(again.status, again.stderr).to.equal(0)
      const [list, id] = again.stdout.toString().split('\n\n') as [string, string]
      expect(listed(list)).to.deep.equal(before)
      const highest = before.map((line) => BigInt(line.split(' ')[0] as string)).reduce((a, b) => (a > b ? a : b))
      expect(BigInt(id.trim()) > highest).to.equal(true)
    })

    it('starts from what is left of a file that is cut off, and of one without its first page', async () => {
      const whole = join(scratch(), 'state')
      mkdirSync(whole)
      const made = await start(whole, `flux submit --quiet --cc=1-${JOBS} --wait true; ${LIST}`)
      expect(made.status, made.stderr).to.equal(0)
      const bytes = readFileSync(join(whole, 'content.sqlite'))
      for (const [damage, left] of [
        ['cut off', bytes.subarray(0, Math.floor(bytes.length * 0.95))],
        ['without its first page', Buffer.concat([Buffer.alloc(4096), bytes.subarray(4096)])],
      ] as const) {
        const statedir = join(scratch(), 'damaged')
        mkdirSync(statedir)
        writeFileSync(join(statedir, 'content.sqlite'), left)
        const out = join(scratch(), 'out')
        const rescued = await runInProcess(['rescue', '--json', '--store', statedir, '--out', out])
        expect(rescued.status, rescued.stderr).to.equal(0)
        const again = await start(out, `${LIST}; echo; flux run echo it runs; flux kvs dir >/dev/null`)
        expect(again.status, `${damage}: ${again.stderr}`).to.equal(0)
        const [list, ran] = again.stdout.toString().split('\n\n') as [string, string]
        expect(ran).to.equal('it runs\n')
        if (damage !== 'cut off') expect(listed(list)).to.deep.equal(listed(made.stdout))
      }
    })
  })
}
