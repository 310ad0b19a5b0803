/** `flux jobs` of a real instance beside ours of its KVS. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseWhen } from '../../src/cli/index.ts'
import { scratch } from '../support/fixtures.ts'
import { CLI, has, run, runAside } from '../support/processes.ts'

const JOBS = `
set -e
for n in 1 2 3; do flux submit --quiet --job-name=ok true; done
flux submit --quiet --job-name=wide -N2 -n2 true
flux submit --quiet --job-name=bad --wait false || true
flux submit --quiet --job-name=wide -N3 -n3 --wait false || true
flux submit --quiet --job-name=late -t 0.1s --wait sleep 60 2>/dev/null || true
id=$(flux submit --job-name=gone sleep 60); flux cancel $id; flux job wait-event -q $id clean
flux submit --quiet --job-name=held --urgency=hold true
flux submit --quiet --job-name=dependent --dependency=afterok:$(flux submit --urgency=hold true) true
flux batch --quiet --output=none --job-name=inner -n1 --wrap hostname
flux job wait-event -q $(flux jobs -a -n --name=inner -o '{id}') clean
flux job wait-event -q $(flux submit --job-name=on --requires=rank:1 sleep 300) start
flux job wait-event -q $(flux submit --job-name=on -N1 sleep 300) start
sleep 0.3
`

/** Options of which both must select the same jobs. WHEN is a time between the jobs. */
const OPTIONS = [
  '-a',
  '-A -a',
  '-a -u root',
  '-a -u 0',
  '-a -u all',
  '-f pending',
  '-f running',
  '-f inactive',
  '-f active',
  '-f run,sched',
  '-f priority,depend',
  '-f completed',
  '-f failed,canceled',
  '-f timeout,RUNNING',
  '-a --name=wide',
  '-a --name=nothing',
  '-a --name=bad -f completed',
  '-a -q default',
  '-a -i 1',
  '-a -i 0-1,3',
  '-a -i 77',
  '-a -i HOSTS',
  '-a -i nowhere[1-3]',
  '--since=WHEN',
  '--since=WHEN -f failed',
  '--since=-1h',
  '--since=now',
  '-a -c 1',
  '-a -c 4',
  '-a -c 8',
  '-a -c 0',
  '-f inactive -c 3',
  '-f failed,completed -c 2',
  '-a -c 2 -i 1',
  'ID',
]

if (has('flux')) {
  describe('conformance of jobs', () => {
    it('selects the jobs that flux jobs selects, and prints them as it does', async () => {
      const ours = `'${process.execPath}' '${CLI}' jobs`
      const script = `${JOBS}
host=$(flux getattr hostlist | sed 's/,.*//')
when=$(flux jobs -a --json | '${process.execPath}' -e '
  const ended = JSON.parse(require("node:fs").readFileSync(0, "utf8")).jobs.map((job) => job.t_inactive).filter(Boolean).sort()
  console.log(ended[ended.length >> 1])')
id=$(flux jobs -a -c 1 -no '{id.dec}')
while read -r options; do
  real=$(echo "$options" | sed "s/HOSTS/$host/; s/WHEN/$when/; s/ID/$id/g")
  echo "== $options"
  flux jobs --json $real 2>/dev/null || echo failed
  ${ours} --json $real 2>/dev/null || echo failed
done <<'END'
${OPTIONS.join('\n')}
END
echo == stats
flux jobs --stats-only; echo $?
${ours} --stats-only; echo $?
flux cancel --all --quiet >/dev/null 2>&1
flux queue drain
`
      const file = join(scratch(), 'script')
      writeFileSync(file, script)
      const { status, stdout, stderr } = await runAside('flux', ['start', '--test-size=4', 'sh', file])
      expect(status, stderr).to.equal(0)
      const blocks = stdout.toString().split(/^== /m).slice(1)
      const [, theirStats, theirStatus, ourStats, ourStatus] = (blocks.pop() ?? '').trim().split('\n')
      expect(blocks).to.have.length(OPTIONS.length)
      for (const block of blocks) {
        const [options = '', theirs = '', mine = ''] = block.trim().split('\n')
        type Listed = { id: number; state: string }
        const [real, found] = [theirs, mine].map((text) => {
          const json = JSON.parse(text) as Listed | { jobs: Listed[] }
          expect('jobs' in json, options).to.equal(options !== 'ID')
          return 'jobs' in json ? json.jobs : [json]
        })
        // What time has passed, a snapshot does not tell.
        const told = (jobs: typeof real) =>
          jobs?.map((job) => ({ ...job, t_remaining: 0, ...(job.state === 'RUN' && { runtime: 0 }) }))
        const sorted = (jobs: typeof real) =>
          /-c [1-9]/.test(options) ? told(jobs) : told(jobs)?.sort((a, b) => a.id - b.id)
        expect(sorted(found), options).to.deep.equal(sorted(real))
      }
      expect(theirStats).to.equal(`${ourStats}, 0 inactive purged`)
      expect(ourStatus).to.equal(theirStatus)
    })

    it('takes a time for what Flux takes it for', () => {
      const now = Date.parse('2026-11-25T10:30:15Z') / 1000
      const times = [
        'now',
        '-1d',
        '-90',
        '-1.5h',
        '+2m',
        'today',
        'yesterday',
        'tomorrow',
        'last monday',
        'last friday',
      ]
      times.push(
        '3 hours ago',
        'an hour ago',
        'two days ago',
        '1 month ago',
        '1 year ago',
        '5 min ago',
        '1.5 hours ago',
      )
      times.push('last week', 'last month', 'last year', '2026-11-01 14:00', '2026-11-01 6am', 'Oct 1 2025 14:00')
      times.push('9:15:30', '2:30pm', 'noon', 'midnight', 'yesterday at 14:00', 'yesterday noon', 'last monday 6am')
      const program = `
import sys
from datetime import datetime
from flux.util import parse_datetime
now = datetime.fromtimestamp(${now}).astimezone()
for text in sys.argv[1:]: print(parse_datetime(text, now).timestamp())`
      const theirs = run('env', ['TZ=UTC', 'flux', 'python', '-c', program, ...times])
        .toString()
        .trim()
        .split('\n')
        .map(Number)
      expect(times.map((text) => parseWhen(text, 'since', now, true))).to.deep.equal(theirs)
    })
  })
}
