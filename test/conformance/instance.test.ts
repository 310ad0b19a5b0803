/** Whole instances of a real Flux: one that is started from a store made here, and one of several brokers. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, fluxTs, has, runAside } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'

if (has('flux')) {
  describe('conformance of a whole instance', () => {
    it('knows all jobs of the one that an archive is of, when it is started from what was restored', async () => {
      const statedir = join(scratch(), 'state')
      mkdirSync(statedir)
      expect(fluxTs(['restore', '-q', '--store', statedir, fixture('jobs', 'dump.tgz')]).status).to.equal(0)
      const list = ['flux', 'jobs', '-a', '-u', 'all', '-n', '-o', '{id.dec} {name} {status}']
      // It complains that it is on another machine.
      const { status, stdout } = await runAside('flux', ['start', `-Sstatedir=${statedir}`, ...list])
      expect(status).to.equal(0)
      const { jobs } = JSON.parse(readFileSync(fixture('jobs', 'jobs.json'), 'utf8')) as {
        jobs: { id: number; name: string; status: string }[]
      }
      expect(stdout.toString().trim().split('\n').toSorted()).to.deep.equal(
        jobs.map(({ id, name, status }) => `${id} ${name} ${status}`).toSorted(),
      )
    })

    it('is dumped by any of its brokers', async () => {
      const dir = scratch()
      const dump = `SOURCE_DATE_EPOCH=1 '${process.execPath}' '${CLI}' dump -q -N calm`
      const script = [
        'set -e',
        `cd '${dir}'`,
        'flux kvs namespace create calm',
        'for n in 1 2 3 4 5 6 7 8; do flux kvs put -N calm "dir$n.value=$(seq 1000)" "dir$n.small=$n"; done',
        `${dump} zero.tar`,
        `FLUX_URI=$(flux exec -r 3 flux getattr local-uri) ${dump} three.tar`,
        'FLUX_KVS_NAMESPACE=calm flux dump -q theirs.tar',
      ].join('\n')
      const { status, stderr } = await runAside('flux', ['start', '--test-size=4', 'sh', '-c', script])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      const [zero, three] = ['zero.tar', 'three.tar'].map((name) => readFileSync(join(dir, name)))
      expect(zero?.equals(three as Buffer)).to.equal(true)
      const contents = (name: string) => readTar(join(dir, name)).map(({ name, sha256 }) => `${name} ${sha256}`)
      expect(contents('three.tar')).to.have.members(contents('theirs.tar')).and.have.length(16)
    })

    it('is told what the tasks of a job wrote as flux job attach tells it, and which of them failed', async () => {
      const dir = scratch()
      const get = `'${process.execPath}' '${CLI}' job get`
      const script = [
        'set -e',
        `cd '${dir}'`,
        `wrote=$(flux submit -N4 --tasks-per-node=2 sh -c 'echo out $FLUX_TASK_RANK; echo err >&2; printf "\\377cut"')`,
        // The third task exits before any other.
        `failed=$(flux submit -N4 --tasks-per-node=2 sh -c 'test $FLUX_TASK_RANK = 2 && exit 3; until test -e go; do sleep 0.1; done')`,
        'flux job wait-event -q -p exec $failed shell.task-exit',
        'touch go',
        'for id in $wrote $failed; do flux job wait-event -q $id clean; done',
        'flux job attach --label-io $wrote >theirs.stdout 2>theirs.stderr',
        `for stream in stdout stderr; do ${get} --label --record $stream $wrote >ours.$stream; done`,
        `${get} --json $failed >failed.json`,
      ].join('\n')
      const { status, stderr } = await runAside('flux', ['start', '--test-size=4', 'sh', '-c', script])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      for (const stream of ['stdout', 'stderr']) {
        const [ours, theirs] = ['ours', 'theirs'].map((whose) => readFileSync(join(dir, `${whose}.${stream}`)))
        expect(ours, stream).to.deep.equal(theirs)
        expect(ours?.length, stream).to.be.greaterThan(8 * 5)
      }
      const { summary } = JSON.parse(readFileSync(join(dir, 'failed.json'), 'utf8'))
      expect(summary).to.include({
        status: 'FAILED',
        exitCode: 3,
        taskRank: 2,
        nodeCount: 4,
        taskCount: 8,
        signal: null,
      })
      expect(summary.reason).to.equal(`exit code 3: task rank 2 on ${summary.host}`)
    })
  })
}
