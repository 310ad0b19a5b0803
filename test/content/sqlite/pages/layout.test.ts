import { expect } from 'chai'
import fc from 'fast-check'
import {
  endsWithVarint,
  INTEGER_BYTES,
  integerAt,
  localBytes,
  rowidBefore,
  varintBytes,
} from '../../../../src/content/sqlite/pages/layout.ts'

/** A number of up to 56 bits as SQLite writes it: seven bits in each byte, the first bit set in all but the last. */
function varint(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 128)
  return bytes
}

const number = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 35), fc.maxSafeNat())

describe('content/sqlite/pages/layout', () => {
  it('divides a row between its page and overflow pages as the file format says', () => {
    // X = U - 35; M = ((U - 12) * 32 / 255) - 23; K = M + ((P - M) % (U - 4)).
    for (const [usable, payload, local] of [
      [4096, 1, 1],
      [4096, 4061, 4061],
      [4096, 4062, 489],
      [4096, 4580, 489],
      [4096, 4581, 489],
      [4096, 4582, 490],
      [4096, 8000, 3908],
      [4096, 8153, 4061],
      [4096, 8154, 489],
      [512, 477, 477],
      [512, 478, 39],
      [512, 900, 392],
      [512, 1000, 39],
      [480, 445, 445],
    ] as const) {
      expect(localBytes(payload, usable), `${payload} of ${usable}`).to.equal(local)
    }
  })

  it('reads integers of each serial type', () => {
    const bytes = Buffer.from('aa8000000000000001', 'hex')
    for (const [type, value] of [
      [1, -128],
      [2, -(2 ** 15)],
      [3, -(2 ** 23)],
      [4, -(2 ** 31)],
      [5, -(2 ** 47)],
      [6, -(2 ** 63) + 1],
      [8, 0],
      [9, 1],
    ] as const) {
      expect(integerAt(bytes, 1, type), `type ${type}`).to.equal(value)
    }
    for (const type of [1, 2, 3, 4, 5] as const) {
      const width = INTEGER_BYTES[type]
      expect(integerAt(Buffer.from('0102030405060708', 'hex'), 1, type)).to.equal(
        Buffer.from('0203040506070809', 'hex').readIntBE(0, width),
      )
    }
  })

  it('knows how long a varint is, and whether one ends at a place', () => {
    fc.assert(
      fc.property(number, number, fc.nat(5), (value, other, before) => {
        const bytes = Buffer.from([...Array(before).fill(0x7f), ...varint(value), 0x81])
        expect(varintBytes(value)).to.equal(varint(value).length)
        expect(endsWithVarint(bytes, bytes.length - 1, value)).to.equal(true)
        if (value !== other && !varint(value).join().endsWith(varint(other).join())) {
          expect(endsWithVarint(bytes, bytes.length - 1, other)).to.equal(false)
        }
        // The first of its bytes is missing.
        if (value >= 128)
          expect(endsWithVarint(bytes.subarray(before + 1), varint(value).length - 1, value)).to.equal(false)
      }),
    )
    expect(endsWithVarint(Buffer.from([0x05]), 0, 0)).to.equal(false)
    expect(endsWithVarint(Buffer.from([0x05, 0x01]), 2, 1)).to.equal(true)
  })

  it('finds the rowid between the number of bytes of a record and the record', () => {
    const rowid = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_384, 2 ** 42, 2 ** 53 - 1), fc.maxSafeNat())
    const payload = fc.integer({ min: 5, max: 2 ** 32 })
    fc.assert(
      fc.property(rowid, payload, fc.nat(4), (rowid, payload, start) => {
        const bytes = Buffer.from([...Array(start).fill(0xff), ...varint(payload), ...varint(rowid), 0x05])
        const record = bytes.length - 1
        expect(rowidBefore(bytes, start, record, payload)).to.equal(rowid)
        expect(rowidBefore(bytes, start, record, payload + 1)).to.equal(undefined)
        // The cell would begin before its page.
        expect(rowidBefore(bytes, record - varint(rowid).length, record, payload)).to.equal(undefined)
      }),
    )
  })

  it('finds no rowid where the byte before the record cannot end one', () => {
    expect(rowidBefore(Buffer.from([0x05, 0x80, 0x05]), 0, 2, 5)).to.equal(undefined)
    expect(rowidBefore(Buffer.from([0x05, 0x7f, 0x05]), 0, 2, 5)).to.equal(127)
    expect(rowidBefore(Buffer.from([0x05, 0x01, 0x02, 0x05]), 0, 3, 5)).to.equal(undefined)
    const nine = [...Array(9).fill(0x81), 0x01]
    expect(rowidBefore(Buffer.from([0x05, ...nine, 0x05]), 0, 11, 5)).to.equal(undefined)
  })
})
