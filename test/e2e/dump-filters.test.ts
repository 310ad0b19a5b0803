/** The built CLI compressing: what becomes of threads and children when it is stopped. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { fluxTs, run, startFluxTs } from '../support/processes.ts'
import { Blobs, dir, type Tree, valref, writeSqlite } from '../support/trees.ts'

/** A store of 6 MB that does not compress. */
function noisyStore(path: string): void {
  const blobs = new Blobs()
  const entries: Record<string, Tree> = {}
  for (let n = 0; n < 6; n++) {
    const noise = new Uint32Array(1 << 18)
    for (let i = 0, state = n + 1; i < noise.length; i++) noise[i] = state = Math.imul(state, 1_664_525) + 1_013_904_223
    entries[`key${n}`] = valref(new Uint8Array(noise.buffer))
  }
  writeSqlite(join(path, 'content.sqlite'), blobs, [blobs.tree({ d: dir(entries) })])
}

describe('flux-ts dump, compressing', () => {
  it('writes the tar that it writes uncompressed', () => {
    const dirname = scratch()
    noisyStore(dirname)
    const tar = join(dirname, 'x.tar')
    expect(fluxTs(['dump', '-q', '--store', dirname, tar]).status).to.equal(0)
    for (const [extension, tool] of Object.entries({ tgz: 'gzip', tbz2: 'bzip2', txz: 'xz', 'tar.zst': 'zstd' })) {
      const file = join(dirname, `x.${extension}`)
      const args = ['dump', '-q', '--level', '1', '--threads', '3', '--store', dirname, file]
      expect(fluxTs(args)).to.deep.include({ status: 0, stderr: '' })
      expect(run(tool, ['-dc'], readFileSync(file)).equals(readFileSync(tar)), extension).to.equal(true)
    }
  })

  it('fails in one line when xz is killed, and leaves nothing behind', () => {
    const dirname = scratch()
    noisyStore(dirname)
    mkdirSync(join(dirname, 'out'))
    mkdirSync(join(dirname, 'bin'))
    writeFileSync(join(dirname, 'bin', 'xz'), '#!/bin/sh\nkill -9 $$\n')
    chmodSync(join(dirname, 'bin', 'xz'), 0o755)
    const outfile = join(dirname, 'out', 'x.tar.xz')
    const env = { ...process.env, PATH: `${join(dirname, 'bin')}:${process.env.PATH}` }
    const { status, stderr } = fluxTs(['dump', '-q', '--store', dirname, outfile], { env })
    expect(status).to.equal(1)
    expect(stderr).to.equal(`flux-ts dump: cannot write ${outfile}: ${dirname}/bin/xz was killed by SIGKILL\n`)
    expect(readdirSync(join(dirname, 'out'))).to.deep.equal([])
  })

  it('does not wait for xz when it is interrupted, and leaves neither it nor a file behind', async () => {
    const dirname = scratch()
    noisyStore(dirname)
    mkdirSync(join(dirname, 'out'))
    mkdirSync(join(dirname, 'bin'))
    const pids = join(dirname, 'pids')
    writeFileSync(join(dirname, 'bin', 'xz'), `#!/bin/sh\necho $$ >> "${pids}"\nexec sleep 1000\n`)
    chmodSync(join(dirname, 'bin', 'xz'), 0o755)
    const args = ['dump', '-q', '--threads', '2', '--store', dirname, join(dirname, 'out', 'x.tar.xz')]
    const { child, ended } = startFluxTs(args, { PATH: `${join(dirname, 'bin')}:${process.env.PATH}` })
    const started = () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : [])
    while (started().length < 2) {
      if (child.exitCode !== null) throw new Error('ended before it began to compress')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    child.kill('SIGINT')
    const { status, stderr } = await ended
    expect({ status, stderr }).to.deep.equal({ status: 130, stderr: 'flux-ts dump: interrupted by SIGINT\n' })
    expect(readdirSync(join(dirname, 'out'))).to.deep.equal([])
    for (const pid of started()) expect(() => process.kill(Number(pid), 0)).to.throw(/ESRCH/)
  })
})
