import { expect } from 'chai'
import { type ErrnoName, errnoName, errnoNumber, errnoText } from '../../src/errors/index.ts'
import { has, run } from '../support/processes.ts'

/** The numbers and texts of the system, by way of Python. */
const ASK = `
import errno, json, os
print(json.dumps({name: [number, os.strerror(number)] for number, name in errno.errorcode.items()} | {
  'ENOTSUP': [errno.ENOTSUP, os.strerror(errno.ENOTSUP)]}))`

const NAMES = Array.from({ length: 200 }, (_, errnum) => errnoName(errnum)).filter((name) => name !== undefined)

describe('errors/errno', () => {
  it('finds a name by its number, and no name by another', () => {
    expect(errnoName(2)).to.equal('ENOENT')
    expect(errnoName(-2)).to.equal(undefined)
    expect(NAMES).to.have.length.greaterThan(30)
    for (const name of NAMES) expect(errnoName(errnoNumber(name))).to.equal(name)
  })

  if (has('python3')) {
    it('has the numbers and texts of the C library', () => {
      const system = JSON.parse(run('python3', ['-c', ASK]).toString())
      const ours = Object.fromEntries(NAMES.map((name: ErrnoName) => [name, [errnoNumber(name), errnoText(name)]]))
      expect(ours).to.deep.equal(Object.fromEntries(NAMES.map((name) => [name, system[name]])))
    })
  }
})
