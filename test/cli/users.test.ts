import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Users } from '../../src/cli/index.ts'
import { scratch } from '../support/fixtures.ts'
import { fakeProgram, withEnv } from '../support/processes.ts'

describe('cli/users', () => {
  it('knows who is in the passwd file, and the first of two names', () => {
    const file = join(scratch(), 'passwd')
    writeFileSync(file, 'ann:x:70001:100::/home/ann:/bin/sh\nalias:x:70001:100::/:/bin/sh\n\n+::::::\n')
    const users = new Users(file)
    expect(users.nameOf(70001)).to.equal('ann')
    expect([users.idOf('ann'), users.idOf('alias'), users.idOf('12')]).to.deep.equal([70001, 70001, 12])
  })

  it('asks what else the system knows', () => {
    const users = new Users(join(scratch(), 'nothing'))
    expect(users.nameOf(0)).to.equal('root')
    expect(users.idOf('root')).to.equal(0)
  })

  it('asks for many users at once, of whom it may not know some', () => {
    const users = new Users(join(scratch(), 'nothing'))
    users.learn([0, 4_000_000_001, undefined, 1])
    expect([users.nameOf(0), users.nameOf(4_000_000_001)]).to.deep.equal(['root', undefined])
    expect(users.nameOf(1)).to.be.a('string')
  })

  it('never passes a name to getent that could be an option', async () => {
    const record = join(scratch(), 'args')
    writeFileSync(record, '')
    const dir = fakeProgram('getent', `echo "$*" >> '${record}'`)
    await withEnv({ PATH: `${dir}:/usr/bin:/bin` }, async () => {
      const users = new Users()
      expect(() => users.idOf('--service=files')).to.throw(/^--service=files: no such user/)
      expect(() => users.idOf('ann')).to.throw(/no such user/)
    })
    expect(readFileSync(record, 'utf8')).to.equal('passwd ann\n')
  })

  it('runs no getent that lies in the current directory', async () => {
    const here = process.cwd()
    process.chdir(fakeProgram('getent', 'echo ann:x:7:7::/:/bin/sh'))
    try {
      await withEnv({ PATH: ':.:/nonexistent' }, async () => {
        expect(() => new Users().idOf('ann')).to.throw(/no such user/)
      })
    } finally {
      process.chdir(here)
    }
  })

  it('does not know everybody', () => {
    const users = new Users()
    expect(users.nameOf(4_000_000_001)).to.equal(undefined)
    expect(() => users.idOf('nobody-of-this-name')).to.throw(/no such user/)
  })
})
