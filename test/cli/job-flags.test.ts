import { Parser } from '@oclif/core'
import { expect } from 'chai'
import { errorLine, jobFlags, jobSelection, UsageError } from '../../src/cli/index.ts'

describe('cli/job-flags', () => {
  const now = Date.parse('2026-11-25T10:30:15Z') / 1000
  const users = { idOf: (name: string) => (name === 'ann' ? 1001 : Number(name)) }
  const select = async (...argv: string[]) => {
    const { flags, argv: ids } = await Parser.parse(argv, { flags: jobFlags, strict: false })
    return jobSelection(flags as never, ids, { users, now, utc: true })
  }
  const filter = async (...argv: string[]) => {
    const { filter, ignored } = await select(...argv)
    expect(ignored).to.equal(undefined)
    return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
  }

  it('takes all jobs of all users, unless asked otherwise', async () => {
    const nothing = { ids: undefined, count: undefined, ignored: undefined }
    for (const argv of [[], ['-a'], ['-A'], ['-c', '0'], ['-u', 'all']]) {
      const { filter, ...others } = await select(...argv)
      expect(Object.values(filter).every((value) => value === undefined)).to.equal(true)
      expect(others).to.deep.equal(nothing)
    }
  })

  it('takes the words of flux jobs', async () => {
    expect(await filter('-f', 'failed,RUN')).to.deep.equal({ statuses: ['failed', 'RUN'] })
    expect(await filter('--filter=pending', '-f', 'timeout')).to.deep.equal({ statuses: ['pending', 'timeout'] })
    expect(await filter('-u', 'ann')).to.deep.equal({ userids: [1001] })
    expect(await filter('--user', 'ann,7')).to.deep.equal({ userids: [1001, 7] })
    expect(await filter('-A', '-u', 'ann')).to.deep.equal({})
    expect(await filter('--name', 'a,b')).to.deep.equal({ name: 'a,b' })
    expect(await filter('-q', 'batch,gpu', '-q', 'x')).to.deep.equal({ queues: ['batch', 'gpu', 'x'] })
    expect(await filter('--since', '-1h', '--before', 'yesterday')).to.deep.equal({
      since: now - 3600,
      before: Date.parse('2026-11-24T00:00:00Z') / 1000,
    })
    expect((await select('-c', '3')).count).to.equal(3)
  })

  it('takes ranks for ranks, and all else for hosts', async () => {
    expect(String((await filter('-i', '0-3,7')).ranks)).to.equal('0-3,7')
    expect(String((await filter('-i', 'node[1-3]')).hosts)).to.equal('node[1-3]')
    expect(String((await filter('-i', '3-1')).hosts)).to.equal('3-1')
  })

  it('still takes the flags of before', async () => {
    expect(await filter('--state', 'run', '--result', 'failed')).to.deep.equal({ states: ['run'], results: ['failed'] })
  })

  it('lists the jobs that are named, and says that the rest has no effect', async () => {
    expect((await select('f2CCFUrT', '12')).ids).to.deep.equal([45415923712n, 12n])
    const { ids, filter, count, ignored } = await select('12', '-c', '1', '-f', 'failed')
    expect({ ids, filter, count }).to.deep.equal({ ids: [12n], filter: {}, count: undefined })
    expect(ignored).to.match(/^jobs are given by their ids/)
    expect((await select('12', '-a')).ignored).to.equal(undefined)
    expect((await select('-a', '-f', 'failed')).ignored).to.match(/^both -a and --filter/)
  })

  it('refuses what it does not take', async () => {
    for (const [argv, message] of [
      [['-f', 'broken'], /^--filter broken: neither a state nor a result; it is one of [a-z, ]+$/],
      [['-i', 'n[1'], /^--include n\[1: neither hosts nor ranks; it looks like node\[1-4\], or 0-3$/],
      [['--since', '+1h'], /^--since \+1h: it is in the future$/],
      [['--since', 'tomorrow'], /future/],
      [
        ['--before', 'soon'],
        /^--before soon: not a time; it looks like 2026-11-24, "2026-11-24 18:30", "Nov 24 6pm", -2h, /,
      ],
      [['no-id'], /no-id: not a job id/],
    ] as const) {
      const error = await select(...argv).catch((error) => error)
      expect(error, argv.join(' ')).to.be.instanceOf(UsageError)
      expect(errorLine(error)).to.match(message)
    }
  })
})
