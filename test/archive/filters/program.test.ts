import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'

const SOURCE = new URL('../../../src/archive/filters/program.ts', import.meta.url).href

/** Run in a process group of its own, so that nothing else is hit. */
async function endingOf(script: string): Promise<unknown[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { detached: true, stdio: 'ignore' })
  return once(child, 'exit')
}

describe('archive/filters/program', () => {
  it('signals nobody when it is called off before a program turns out not to start', async () => {
    const script = `
      const { ProgramCompressor } = await import('${SOURCE}')
      const compressor = new ProgramCompressor('/nonexistent/xz', [], 1000)
      const failed = compressor.compress(new Uint8Array(10)).catch((error) => error.message)
      await compressor.close()
      process.exitCode = /cannot run/.test(await failed) ? 5 : 6`
    expect(await endingOf(script)).to.deep.equal([5, null])
  })
})
