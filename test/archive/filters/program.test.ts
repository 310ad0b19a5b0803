import { expect } from 'chai'
import { ProgramCompressor } from '../../../src/archive/filters/program.ts'
import { signalsOf } from '../../support/processes.ts'

describe('archive/filters/program', () => {
  it('signals nobody when it is called off before a program turns out not to start', async () => {
    const signals = await signalsOf(async () => {
      const compressor = new ProgramCompressor('/nonexistent/xz', [], 1000, () => undefined)
      const failed = compressor.compress(new Uint8Array(10)).catch((error) => error.message)
      await compressor.close()
      expect(await failed).to.equal('cannot run /nonexistent/xz: No such file or directory')
    })
    expect(signals).to.equal(0)
  })
})
