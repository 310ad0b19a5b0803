/** Salvage of archives whose members follow each other: what is damaged is found out in one pass. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openArchive } from '../../src/archive/index.ts'
import { Input } from '../../src/archive/input.ts'
import { Reading } from '../../src/archive/member.ts'
import { wholeMembers } from '../../src/archive/mend.ts'
import { scratch } from '../support/fixtures.ts'
import { writeTree } from '../support/write-archive.ts'

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Everything that is read, or undefined when the archive is refused. */
async function read(file: string, isSalvaging: boolean): Promise<{ members: string[]; losses: string[] } | undefined> {
  const losses: string[] = []
  const members: string[] = []
  const onLoss = isSalvaging ? { onLoss: (error: Error) => losses.push(error.message) } : {}
  try {
    await using archive = await openArchive(file, onLoss)
    for await (const batch of archive.batches()) {
      for (const { path, data } of batch) {
        members.push(
          `${path} ${createHash('sha1')
            .update(data as Uint8Array)
            .digest('hex')}`,
        )
      }
    }
    return { members, losses }
  } catch {
    return undefined
  }
}

describe('archive/mend', () => {
  for (const [what, make] of [
    [
      'odc',
      (name: string) =>
        `070707${'0'.repeat(53)}${(name.length + 1).toString(8).padStart(6, '0')}${'0'.repeat(11)}${name}\0`,
    ],
    [
      'newc',
      (name: string) =>
        `070701${'0'.repeat(88)}${(name.length + 1).toString(16).padStart(8, '0')}${'0'.repeat(8)}${name}\0\0\0\0`,
    ],
  ] as const) {
    it(`keeps all members of a cpio (${what}) whose trailer has a wrong byte that the reader takes`, async () => {
      const directory = scratch()
      const whole = join(directory, 'whole.cpio')
      await writeTree(whole, { a: 'first', b: 'last' }, {})
      const bytes = readFileSync(whole)
      const end = bytes.lastIndexOf('070707')
      const trailer = Buffer.from(make('TRAILER!!!'))
      const file = join(directory, 'x.cpio')
      let taken = 0
      for (let at = 0; at < trailer.length; at++) {
        for (const byte of [0, 0x58]) {
          const changed = Buffer.concat([bytes.subarray(0, end), trailer])
          changed[end + at] = byte
          writeFileSync(file, changed)
          const plain = await read(file, false)
          const salvaged = await read(file, true)
          if (plain === undefined) continue
          taken++
          expect(salvaged, `byte ${byte} at ${at}`).to.deep.equal(plain)
        }
      }
      expect(taken).to.be.above(trailer.length)
    })
  }

  it('skips what looks like headers again and again in one pass, and tells it once', async () => {
    // As in an archive of many texts "0707": each place looks like a header, and none has a name.
    const bytes = Buffer.concat([Buffer.alloc(256 << 10, '0707'), Buffer.alloc(300_000, 'x')])
    const file = join(scratch(), 'x.cpio')
    await writeTree(file, { a: 'first', b: 'last' }, {})
    const whole = readFileSync(file)
    for (const chunkBytes of [256 << 10, 1000]) {
      const second = whole.indexOf('070707', 6)
      const damaged = Buffer.concat([whole.subarray(0, second), bytes, whole.subarray(second)])
      const losses: string[] = []
      const reading = new Reading('x', 'cpio', (error) => losses.push(error.message))
      const { mend } = await import('../../src/archive/formats/cpio/mend.ts')
      const input = new Input(chunksOf(damaged, chunkBytes))
      const copied = countCopies()
      const parts: Uint8Array[] = []
      try {
        for await (const part of mend(input, reading)) parts.push(Buffer.from(part))
      } finally {
        copied.stop()
      }
      expect(Buffer.concat(parts).includes('last')).to.equal(true)
      expect(losses).to.have.length(1)
      expect(losses[0]).to.include(`${bytes.length} bytes skipped, up to the next member`)
      expect(copied.bytes).to.be.below(8 * damaged.length)
    }
  })

  /** Members of four bytes, the first of which is M, and an end, E. */
  const frames = {
    headBytes: 1,
    begins: (buffer: Buffer, at: number) => buffer[at] === 0x4d || buffer[at] === 0x45,
    search: (buffer: Buffer, at: number) => {
      const found = buffer.subarray(at).findIndex((byte) => byte === 0x4d || byte === 0x45)
      return found < 0 ? -1 : at + found
    },
    measure: async (input: Input) => {
      const first = input.buffer[input.position]
      if (first !== 0x4d && first !== 0x45) return undefined
      return { headers: 1, content: first === 0x45 ? 0 : 3, padding: 0, path: 'm', isEnd: first === 0x45 }
    },
    align: 4,
    end: Buffer.from('E'),
  }
  for (const [what, bytes, left, losses] of [
    [
      'after a member that has lost a piece',
      'Mabcxx.MdefE',
      'MdefE',
      [
        'x: m: damaged: a piece of its content may be missing (at byte 7)',
        'x: damaged: 3 bytes skipped, up to the next member (at byte 4)',
      ],
    ],
    [
      'before the end of the archive',
      'MabcE.MdefxxxxE',
      'MabcMdefE',
      [
        'x: damaged: 2 bytes skipped, up to the next member (at byte 4)',
        'x: damaged: 4 bytes skipped, up to the end of the archive (at byte 10)',
      ],
    ],
    [
      'up to the end of the file',
      'Mabcxxxx',
      'MabcE',
      [
        'x: damaged: 4 bytes skipped, up to the end (at byte 4)',
        'x: truncated: the end of the archive is missing (at byte 8)',
      ],
    ],
  ] as const) {
    it(`says where damage is: ${what}`, async () => {
      const found: string[] = []
      const reading = new Reading('x', 'toy', ({ message }) => found.push(message))
      const parts: Uint8Array[] = []
      const input = new Input(chunksOf(Buffer.from(bytes), 1000))
      for await (const part of wholeMembers(input, reading, frames)) parts.push(Buffer.from(part))
      expect({ left: Buffer.concat(parts).toString(), losses: found }).to.deep.equal({ left, losses: [...losses] })
    })
  }

  it('passes over members that say more content than there is, without a copy of it for each', async () => {
    const align = 8
    const count = 4000
    const bytes = Buffer.alloc(count * align + (1 << 20), 'x')
    for (let n = 0; n < count; n++) bytes.write('M', n * align)
    const frames = {
      headBytes: 1,
      begins: (buffer: Buffer, at: number) => buffer[at] === 0x4d,
      search: (buffer: Buffer, at: number) => buffer.indexOf('M', at),
      // Each says a megabyte, and the next one begins in it.
      measure: async (input: Input) =>
        input.buffer[input.position] === 0x4d
          ? { headers: align, content: 1 << 20, padding: 0, path: 'm', isEnd: false }
          : undefined,
      align,
      end: Buffer.from('end'),
    }
    const losses: string[] = []
    const reading = new Reading('x', 'toy', ({ message }) => losses.push(message))
    const copied = countCopies()
    try {
      for await (const _ of wholeMembers(new Input(chunksOf(bytes, 1000)), reading, frames));
    } finally {
      copied.stop()
    }
    expect(losses).to.have.length.at.least(count)
    expect(losses[0]).to.equal('x: m: damaged: a piece of its content is missing (at byte 0)')
    expect(losses.at(-1)).to.equal(`x: truncated: the end of the archive is missing (at byte ${bytes.length})`)
    expect(copied.bytes).to.be.below(8 * bytes.length)
  })
})

/** Counts the bytes that are copied from buffer to buffer. */
function countCopies(): { bytes: number; stop: () => void } {
  const { copy } = Buffer.prototype
  const counted = {
    bytes: 0,
    stop: () => {
      Buffer.prototype.copy = copy
    },
  }
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    const bytes = copy.apply(this, args)
    counted.bytes += bytes
    return bytes
  }
  return counted
}
