/** Exports of a real instance: what Flux says of its jobs, and what is left when it has purged them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { rows } from '../support/exports.ts'
import { scratch } from '../support/fixtures.ts'
import { CLI, has, runAside } from '../support/processes.ts'

type Told = Record<string, unknown> & { id: number; exception: Record<string, unknown> }

if (has('flux')) {
  const flux = `'${process.execPath}' '${CLI}' jobs export`

  describe('conformance of jobs export', () => {
    it('says field by field what flux jobs says', async () => {
      const dir = scratch()
      const script = [
        'set -e',
        `cd '${dir}'`,
        'flux submit --quiet --wait -n1 --job-name=done --cwd=/tmp true',
        'flux submit --quiet --wait -N2 -n4 --setattr=system.bank=b --setattr=system.project=p true',
        'flux submit --quiet --wait -n1 false || true',
        'flux submit --quiet --wait -n1 -t 1s sleep 100 || true',
        'flux submit --quiet --wait -n1 sh -c "kill -9 \\$\\$" || true',
        'id=$(flux submit -n1 sleep 100)',
        'flux job wait-event -q $id start',
        'flux cancel $id; flux job wait-event -q $id clean',
        'flux submit --quiet --urgency=hold -n1 true',
        'run=$(flux submit -n1 sleep 1000)',
        'flux job wait-event -q $run start',
        'flux submit --quiet --dependency=afterany:$run -n1 true',
        'batch=$(flux batch --output=none -n1 --wrap true); flux job wait-event -q $batch clean',
        // The list of jobs is told of events a moment after they are in the KVS.
        'flux jobs -a -A --json > said.json',
        `${flux} jobs.sqlite`,
        `${flux} jobs.ndjson`,
        'flux cancel --all --quiet',
      ].join('\n')
      const { status, stderr } = await runAside('flux', ['start', '--test-size=2', 'bash', '-c', script])
      expect(status, stderr).to.equal(0)
      const { jobs: said } = JSON.parse(readFileSync(join(dir, 'said.json'), 'utf8')) as { jobs: Told[] }
      const lines = readFileSync(join(dir, 'jobs.ndjson'), 'utf8').trimEnd().split('\n')
      const objects = new Map(lines.map((line) => JSON.parse(line)).map((job: Told) => [job.id, job]))
      const found = new Map(rows(join(dir, 'jobs.sqlite'), 'SELECT * FROM jobs').map((row) => [row.id, row]))
      expect(said).to.have.length(10)
      expect(found.size).to.equal(10)
      for (const job of said) {
        // How long a job has run that still runs, and how long it may, changes by the moment: a snapshot does not tell.
        const { t_remaining: _remaining, runtime, ...facts } = job
        const told = job.state === 'RUN' ? facts : { ...facts, runtime }
        expect(objects.get(job.id)).to.deep.equal(JSON.parse(JSON.stringify(told)))
        const row = found.get(job.id) as Record<string, unknown>
        const { exception, dependencies, annotations, ...plain } = told as Told
        for (const [name, value] of Object.entries(plain)) {
          const cell = typeof value === 'boolean' ? Number(value) : value === '' ? null : (value ?? null)
          expect(row[name], `${job.id} ${name}`).to.equal(cell)
        }
        for (const name of ['type', 'severity', 'note']) {
          expect(row[`exception_${name}`], name).to.equal(exception.occurred ? exception[name] : null)
        }
        expect(JSON.parse((row.dependencies as string) ?? '[]')).to.deep.equal(dependencies ?? [])
        expect(JSON.parse((row.annotations as string) ?? '{}')).to.deep.equal(annotations ?? {})
      }
    })

    it('loses and doubles no job in ten nights, while flux job purge forgets them', async () => {
      const dir = scratch()
      const night = [
        'flux submit --quiet --wait -n1 --cc=1-4 true',
        'id=$(flux submit -n1 sleep 1000)',
        'flux job wait-event -q $id start',
        'for file in history.sqlite history.parquet; do',
        `  ${flux} --append $file`,
        'done',
        'flux jobs -a -A -n -o "{id.dec}" >> all.txt',
        'flux cancel --quiet $id; flux job wait-event -q $id clean',
        'flux jobs -a -A -n -o "{id.dec}" >> kept.txt',
        'flux job purge -f --num-limit=3',
      ]
      const script = [
        'set -e',
        `cd '${dir}'`,
        'for night in 1 2 3 4 5 6 7 8 9 10; do',
        ...night,
        'done',
        'flux jobs -a -A -n -o "{id.dec}" > left.txt',
      ].join('\n')
      const { status, stderr } = await runAside('flux', ['start', 'bash', '-c', script])
      expect(status, stderr).to.equal(0)
      const ids = (name: string) => readFileSync(join(dir, name), 'utf8').trim().split('\n')
      const all = [...new Set(ids('all.txt'))].sort()
      expect(all).to.have.length(50)
      expect(ids('left.txt')).to.have.length(3)
      const { duckRows, parquetFiles } = await import('../support/exports.ts')
      const sql = 'SELECT CAST(id AS VARCHAR) AS id, state, result FROM'
      const found = {
        sqlite: rows(join(dir, 'history.sqlite'), `${sql} jobs`),
        parquet: await duckRows(`${sql} ${parquetFiles(join(dir, 'history.parquet'))}`),
      }
      for (const jobs of Object.values(found)) {
        expect(jobs.map(({ id }) => id as string).sort()).to.deep.equal(all)
        // The last job of a night runs when it is exported. The next night completes it, if it is there.
        expect(jobs.filter(({ result }) => result === 'COMPLETED')).to.have.length(40)
        expect(jobs.filter(({ result }) => result === 'CANCELED')).to.have.length(9)
        expect(jobs.filter(({ state }) => state === 'RUN')).to.have.length(1)
      }
      expect(stderr).to.match(/4 completed|1 completed/)
    })
  })
}
