import { expect } from 'chai'
import { jobArguments } from '../../src/cli/job-format-flags.ts'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const JOBS = ['jobs', '--archive', fixture('jobs', 'dump.tgz'), 'f2CCFUrT', '-n']

/** What `jobs` prints. */
async function jobs(args: readonly string[], env: Record<string, string> = {}) {
  const { stdout, ...rest } = await runInProcess([...JOBS, ...args], { TZ: 'UTC', ...env })
  return { ...rest, stdout: stdout.toString() }
}

describe('cli/job-format-flags', () => {
  it('gives options the values that they have without one', () => {
    const cases: [before: string, after: string][] = [
      ['--color f2CCFUrT', '--color=always f2CCFUrT'],
      ['--color never', '--color never'],
      ['--color=auto', '--color=auto'],
      ['-w -n', '--width=0 -n'],
      ['-w 80', '-w 80'],
      ['-w -1', '-w -1'],
      ['--width', '--width=0'],
      ['--sort=-name,id', '--sort=,-name,id'],
      ['-- --color -w', '-- --color -w'],
    ]
    for (const [before, after] of cases) expect(jobArguments(before.split(' ')).join(' ')).to.equal(after)
  })

  it('takes a default format from the environment, by name or as it is', async () => {
    const named = await jobs([], { FLUX_JOBS_FORMAT_DEFAULT: 'endreason' })
    expect(named.stdout).to.equal((await jobs(['-o', 'endreason'])).stdout)
    expect(named.stdout).to.match(/Exit 0\n$/)
    expect((await jobs([], { FLUX_JOBS_FORMAT_DEFAULT: '{name}' })).stdout).to.equal('sleep\n')
    expect((await jobs(['-o', '{id}'], { FLUX_JOBS_FORMAT_DEFAULT: '{name}' })).stdout).to.equal('ƒ2CCFUrT\n')
  })

  it('writes job ids in another form, in formats by name too', async () => {
    expect((await jobs(['--id-format', 'dec'])).stdout).to.match(/^ 45415923712 root/)
    expect((await jobs(['--id-format', 'hex', '-o', '{id}:{id.dec}'])).stdout).to.equal('0xa93000000:45415923712\n')
    expect((await jobs(['-o', '{id} {id.f58}'], { FLUX_F58_FORCE_ASCII: '1' })).stdout).to.equal('f2CCFUrT f2CCFUrT\n')
  })

  it('refuses a format before anything is read, and suggests what may be meant', async () => {
    const cases: [args: string[], said: string][] = [
      [['-o', '{usrname}'], '--format: usrname: no such field; did you mean username?'],
      [['-o', '{xyzxyz}'], '--format: xyzxyz: no such field; flux-jobs(1) lists the fields'],
      [['-o', 'id'], '--format: id: no such format; for a field, write {id}'],
      [['-o', 'get-config=x'], '--format: x: no such format; -o help lists them'],
      [['--sort', 'nam'], '--sort: nam: no such field; did you mean name?'],
      [
        ['-o', '{instance.stats}'],
        '--format: instance.stats: a snapshot does not hold this field; only the running instance of the job tells it',
      ],
    ]
    for (const [args, said] of cases) {
      const { status, stdout, stderr } = await runInProcess(['jobs', '--archive', '/nonexistent.tar', ...args])
      expect({ status, stdout: stdout.toString(), said: stderr.split('\n')[0] }).to.deep.equal({
        status: 2,
        stdout: '',
        said: `flux-ts jobs: ${said}`,
      })
    }
  })
})
