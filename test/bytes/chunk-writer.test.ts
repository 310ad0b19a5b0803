import { expect } from 'chai'
import fc from 'fast-check'
import { ChunkWriter } from '../../src/bytes/index.ts'

describe('bytes/chunk-writer', () => {
  it('hands on what was written, in order, in full chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.nat(40))), (writes) => {
        const writer = new ChunkWriter(16)
        const taken: Uint8Array[] = []
        for (const write of writes) {
          if (typeof write === 'number') writer.zeros(write)
          else writer.write(write)
          const chunks = writer.take()
          for (const chunk of chunks) {
            expect(chunk.length).to.equal(16)
            taken.push(Uint8Array.from(chunk))
            writer.recycle(chunk)
          }
        }
        taken.push(...writer.take(true))
        const all = Buffer.concat(writes.map((write) => (typeof write === 'number' ? new Uint8Array(write) : write)))
        expect(Buffer.concat(taken)).to.deep.equal(all)
        expect(writer.bytes).to.equal(all.length)
      }),
    )
  })

  it('says how much waits to be taken', () => {
    const writer = new ChunkWriter(16)
    writer.zeros(40)
    expect(writer.ready).to.equal(32)
    writer.take()
    expect(writer.ready).to.equal(0)
  })
})
