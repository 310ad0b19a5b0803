import { closeSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { hasOpen } from '../../src/files/index.ts'
import { scratch } from '../support/fixtures.ts'

describe('files/open-files', () => {
  it('knows what a process has open by the file, not by its name', () => {
    const path = join(scratch(), 'a')
    writeFileSync(path, '')
    const file = statSync(path)
    expect(hasOpen(process.pid, file)).to.equal(false)
    const fd = openSync(path, 'r')
    expect(hasOpen(process.pid, file)).to.equal(true)
    renameSync(path, `${path}.moved`)
    writeFileSync(path, '')
    expect(hasOpen(process.pid, statSync(path))).to.equal(false)
    unlinkSync(`${path}.moved`)
    expect(hasOpen(process.pid, file)).to.equal(true)
    closeSync(fd)
    expect(hasOpen(process.pid, file)).to.equal(false)
  })

  it('says no of a process that does not exist', () => {
    const path = join(scratch(), 'a')
    writeFileSync(path, '')
    expect(hasOpen(999_999_999, statSync(path))).to.equal(false)
  })
})
