/** A broker that is killed before it has written a checkpoint of its jobs, and a real Flux that is started again. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { has, runAside } from '../support/processes.ts'

const JOBS = 50
const LIST = `flux jobs -a -n -c0 -o '{id.dec} {name} {status}'`

/** The ids and states in the output of {@link LIST}, sorted. */
function listed(stdout: Buffer): string[] {
  return stdout.toString().trim().split('\n').toSorted()
}

if (has('flux')) {
  describe('conformance of a store whose broker was killed', () => {
    it('starts with all jobs again, from the root that is found, and gives higher ids to new ones', async () => {
      const statedir = join(scratch(), 'state')
      mkdirSync(statedir)
      const start = (script: string) => runAside('flux', ['start', `-Sstatedir=${statedir}`, 'sh', '-c', script])
      const submit = `flux submit --quiet --cc=1-${JOBS} --wait true`
      // Flushed, so that all is in the store; a flush writes no checkpoint.
      const killed = await start(`${submit}; ${LIST}; flux content flush; kill -9 $(flux getattr broker.pid)`)
      const before = listed(killed.stdout)
      expect(before).to.have.length(JOBS)

      // The checkpoint of the start holds none of them.
      const lost = await runInProcess(['jobs', '-n', '--store', statedir])
      expect(lost.stdout.toString()).to.equal('')
      expect(lost.stderr).to.include(`content roots --store ${statedir}`)
      const args = ['content', 'roots', '--json', '--kind', 'primary', '--whole', '-n', '1', '--store', statedir]
      const found = await runInProcess(args)
      const [root] = JSON.parse(found.stdout.toString()).roots
      expect(root).to.include({ jobCount: JOBS, whole: true, checkpointIndex: null })

      const updated = await runInProcess(['content', 'checkpoint', 'update', '--store', statedir, root.rootref])
      expect(updated.status, updated.stderr).to.equal(0)
      const jobs = await runInProcess(['jobs', '-n', '--store', statedir])
      expect(jobs.stdout.toString().trim().split('\n')).to.have.length(JOBS)
      const again = await start(`${LIST}; echo; flux job id --to=dec $(flux submit true)`)
      expect(again.status, again.stderr).to.equal(0)
      const [list, id] = again.stdout.toString().split('\n\n') as [string, string]
      expect(listed(Buffer.from(list))).to.deep.equal(before)
      const highest = before.map((line) => BigInt(line.split(' ')[0] as string)).reduce((a, b) => (a > b ? a : b))
      expect(BigInt(id.trim()) > highest).to.equal(true)
    })
  })
}
