import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { fluxTs } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'

const STORE = fixture('jobs', 'content.sqlite')

function dump(...args: string[]): { status: number | null; stderr: string; names: string[] } {
  const file = join(scratch(), 'x.tar')
  const { status, stderr } = fluxTs(['dump', '-q', '--store', STORE, ...args, file])
  return { status, stderr, names: status === 0 ? readTar(file).map(({ name }) => name) : [] }
}

function pathsBelow(...prefixes: string[]): string[] {
  const { entries } = expected('jobs')
  return entries.map(({ path }) => path).filter((path) => prefixes.some((prefix) => path.startsWith(prefix)))
}

describe('flux-ts dump of a part', () => {
  it('dumps keys, and what belongs to jobs, under their own paths', () => {
    const { names, stderr } = dump('--key', 'resource', '--job', 'f2CCFUrT', '--job', '42412802048')
    expect(names).to.have.members(pathsBelow('resource/', 'job/0000/000a/9300/0000/', 'job/0000/0009/e000/0000/'))
    expect(stderr).to.equal('')
    expect(dump('--key', 'resource.R').names).to.deep.equal(['resource/R'])
  })

  it('dumps what globs select, within the keys', () => {
    expect(dump('--include', 'job/**/R', '--exclude', 'job/0000/0002').names).to.deep.equal(
      pathsBelow('job/').filter((path) => path.endsWith('/R') && !path.startsWith('job/0000/0002')),
    )
    expect(dump('--job', 'f2CCFUrT', '--include', '**/guest', '--exclude', '**/output').names).to.deep.equal(
      pathsBelow('job/0000/000a/9300/0000/guest').filter((path) => !path.endsWith('output')),
    )
  })

  it('fails when a key or a job is not there, and for wrong use when an ID is none', () => {
    expect(dump('--key', 'nosuch')).to.include({
      status: 1,
      stderr: 'flux-ts dump: nosuch: No such file or directory\n',
    })
    expect(dump('--job', '12').status).to.equal(1)
    expect(dump('--job', 'xyz'))
      .to.include({ status: 2 })
      .and.to.have.property('stderr')
      .that.includes('xyz: not a job id')
  })

  it('fails when nothing is selected, and leaves an older archive as it was', () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, 'last good one')
    for (const [args, problem] of [
      [['--include', 'nope/**'], `${STORE}: nothing in it is selected`],
      [['--job', 'f2CCFUrT', '--include', 'resource'], `${STORE}: nothing in it is selected`],
    ] as const) {
      const { status, stderr } = fluxTs(['dump', '--store', STORE, ...args, file])
      expect({ status, stderr }).to.deep.equal({ status: 1, stderr: `flux-ts dump: ${problem}\n` })
      expect(readFileSync(file, 'utf8')).to.equal('last good one')
    }
  })
})
