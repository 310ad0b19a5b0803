import { closeSync, readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { SpillingSpool, type Spool, TemporaryFile } from '../../src/archive/spool.ts'
import { descriptorIn } from '../support/descriptors.ts'
import { scratch } from '../support/fixtures.ts'

async function contents(spool: Spool): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of spool.read()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

describe('archive/spool', () => {
  it('gives back what was added, in order, without a name in its directory', async () => {
    const dir = scratch()
    const spool = new TemporaryFile(dir)
    const chunks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(100_003, i))
    for (let i = 0; i < chunks.length; i += 4) await spool.append(chunks.slice(i, i + 4))
    expect(readdirSync(dir)).to.deep.equal([])
    expect((await contents(spool)).equals(Buffer.concat(chunks))).to.equal(true)
    await spool.close()
    await spool.close()
  })

  it('makes no file when nothing is added', async () => {
    const spool = new TemporaryFile(join(scratch(), 'absent'))
    expect((await contents(spool)).length).to.equal(0)
    await spool.close()
  })

  it('names its directory and the reason when it cannot be made', async () => {
    const dir = join(scratch(), 'absent')
    const error = await new TemporaryFile(dir).append([Buffer.from('x')]).catch((e) => e)
    expect(error).to.include({
      code: 'ENOENT',
      message: `cannot write a temporary file in ${dir}: No such file or directory`,
    })
  })

  it('says that its file has been cut short', async () => {
    const dir = scratch()
    const spool = new TemporaryFile(dir)
    await spool.append([Buffer.alloc(1000)])
    truncateSync(`/proc/self/fd/${descriptorIn(dir)}`)
    expect(await contents(spool).catch((error) => error)).to.include({
      code: 'EIO',
      message: `the temporary file in ${dir} has been cut short`,
    })
    await spool.close()
  })

  it('says that its file cannot be read', async () => {
    const dir = scratch()
    const spool = new TemporaryFile(dir)
    await spool.append([Buffer.alloc(3_000_000)])
    closeSync(descriptorIn(dir))
    expect(await contents(spool).catch((error) => error)).to.include({
      code: 'EBADF',
      message: `cannot read a temporary file in ${dir}: Bad file descriptor`,
    })
    await spool.close()
  })

  it('holds a little in memory, and makes a file for what is more', async () => {
    const dir = scratch()
    const little = new SpillingSpool(join(dir, 'absent'), 1000)
    await little.append([Buffer.from('a'), Buffer.from('b')])
    expect((await contents(little)).toString()).to.equal('ab')
    expect(await little.append([Buffer.alloc(999)]).catch((error) => error)).to.include({ code: 'ENOENT' })
    await little.close()
    const much = new SpillingSpool(dir, 1000)
    const chunks = Array.from({ length: 30 }, (_, i) => Buffer.alloc(333, i))
    for (const chunk of chunks) await much.append([chunk])
    expect((await contents(much)).equals(Buffer.concat(chunks))).to.equal(true)
    await much.close()
    expect(readdirSync(dir)).to.deep.equal([])
  })
})
