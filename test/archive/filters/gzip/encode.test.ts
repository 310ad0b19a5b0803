import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import type { FilterOptions } from '../../../../src/archive/filters/filter.ts'
import { GzipFilter } from '../../../../src/archive/filters/gzip/encode.ts'
import type { Sink } from '../../../../src/archive/index.ts'
import { scratch } from '../../../support/fixtures.ts'
import { run } from '../../../support/processes.ts'

async function compress(chunks: readonly Uint8Array[], options: Partial<FilterOptions> = {}): Promise<Buffer> {
  const written: Uint8Array[] = []
  const sink: Sink = {
    write: async (more) => void written.push(...more),
    commit: async () => {},
    abort: async () => {},
  }
  const filter = new GzipFilter(sink, { level: 6, threads: 2, name: 'x.gz', ...options })
  for (const chunk of chunks) await filter.write([chunk])
  await filter.finish()
  return Buffer.concat(written)
}

const TEXT = Buffer.from(
  Array.from({ length: 60_000 }, (_, n) => `{"timestamp":${n * 7919},"name":"submit"}\n`).join(''),
)

describe('archive/filters/gzip', () => {
  const inputs: [string, Uint8Array[]][] = [
    ['nothing', []],
    ['one byte', [Buffer.from('a')]],
    ['text of several blocks', [TEXT.subarray(0, 1 << 20), TEXT.subarray(1 << 20)]],
    ['noise', [randomBytes(1 << 20), randomBytes(777)]],
    ['zeros', [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20), Buffer.alloc(100)]],
  ]
  for (const [what, chunks] of inputs) {
    it(`is one member that gunzip reads: ${what}`, async () => {
      const packed = await compress(chunks)
      expect(gunzipSync(packed).equals(Buffer.concat(chunks))).to.equal(true)
      const file = join(scratch(), 'x.gz')
      writeFileSync(file, packed)
      expect(run('gunzip', ['-c', file]).equals(Buffer.concat(chunks))).to.equal(true)
    })
  }

  it('gives the same bytes for any number of threads', async () => {
    const chunks = [TEXT.subarray(0, 1 << 20), TEXT.subarray(1 << 20)]
    const one = await compress(chunks, { threads: 1 })
    for (const threads of [2, 3, 16]) expect((await compress(chunks, { threads })).equals(one)).to.equal(true)
  })

  it('packs about as well as one stream, since each block knows what was before it', async () => {
    const { length } = await compress([TEXT.subarray(0, 1 << 20), TEXT.subarray(1 << 20)])
    const whole = run('gzip', ['-c', '-6'], TEXT).length
    expect(length).to.be.lessThan(whole * 1.01)
  })

  it('carries neither a name nor a time', async () => {
    expect((await compress([TEXT])).subarray(0, 10).toString('hex')).to.equal('1f8b0800000000000003')
  })
})
