import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findProgram } from '../../src/files/index.ts'
import { scratch } from '../support/fixtures.ts'
import { fakeProgram } from '../support/processes.ts'

describe('files/find-program', () => {
  it('finds the first program of a name that can be run', () => {
    const [first, second] = [fakeProgram('tool', ''), fakeProgram('tool', '')]
    expect(findProgram('tool', `/nonexistent:${first}:${second}`)).to.equal(join(first, 'tool'))
    chmodSync(join(first, 'tool'), 0o644)
    expect(findProgram('tool', `${first}:${second}`)).to.equal(join(second, 'tool'))
    mkdirSync(join(scratch(), 'tool'))
    expect(findProgram('tool', `${scratch()}`)).to.equal(undefined)
  })

  it('looks in no directory whose place depends on the current one', () => {
    const here = process.cwd()
    process.chdir(fakeProgram('tool', ''))
    try {
      for (const path of ['', '.', ':/nonexistent', './', '..']) expect(findProgram('tool', path)).to.equal(undefined)
    } finally {
      process.chdir(here)
    }
  })
})
