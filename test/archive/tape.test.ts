import { join } from 'node:path'
import { expect } from 'chai'
import { Input } from '../../src/archive/input.ts'
import { Tape } from '../../src/archive/tape.ts'
import { scratch } from '../support/fixtures.ts'

describe('archive/tape', () => {
  it('names the archive, the directory and what to do where no temporary file can be made', async () => {
    const { TMPDIR } = process.env
    const absent = join(scratch(), 'absent')
    process.env.TMPDIR = absent
    try {
      const origin = new Input(
        (async function* () {
          yield Buffer.from('content')
        })(),
      )
      await using tape = new Tape(origin, 'x.cpio')
      expect(await tape.cover(origin, 5).catch((error) => error)).to.include({
        code: 'ENOENT',
        message: `cannot copy a part of x.cpio to a temporary file in ${absent}: No such file or directory`,
        hint: 'set TMPDIR to another directory',
      })
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    }
  })
})
