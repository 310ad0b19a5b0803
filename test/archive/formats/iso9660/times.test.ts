import { expect } from 'chai'
import { readRockRidge } from '../../../../src/archive/formats/iso9660/read-rock-ridge.ts'
import { Reading } from '../../../../src/archive/member.ts'

/** A TF field of RRIP 4.1.6 with the time of modification alone. */
async function modified(isLong: boolean, date: Buffer): Promise<number | undefined> {
  const head = Buffer.from([0x54, 0x46, 5 + date.length, 1, isLong ? 0x82 : 0x02])
  const reading = new Reading('x.iso', 'iso9660')
  return (await readRockRidge(Buffer.concat([head, date]), 2048, undefined as never, reading, 0)).mtimeSeconds
}

describe('archive/formats/iso9660, times of Rock Ridge', () => {
  const seconds = Date.UTC(2023, 10, 14, 22, 13, 20) / 1000

  it('are read with their offset from UTC, in the short form and in the long one', async () => {
    for (const offset of [0, 4, -20]) {
      const zone = Buffer.alloc(1)
      zone.writeInt8(offset)
      const short = Buffer.concat([Buffer.from([123, 11, 14, 22, 13, 20]), zone])
      const long = Buffer.concat([Buffer.from('2023111422132050'), zone])
      expect(await modified(false, short), `${offset}`).to.equal(seconds - offset * 900)
      expect(await modified(true, long), `${offset}`).to.equal(seconds + 0.5 - offset * 900)
    }
  })
})
