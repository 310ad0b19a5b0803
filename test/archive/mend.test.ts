/** Salvage of archives whose members follow each other: what is damaged is found out in one pass. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
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

  describe('a member that is too large for memory', () => {
    /** "M", its length in seven digits, and the content. */
    const frames = {
      headBytes: 8,
      lookBytes: 8,
      begins: (buffer: Buffer, at: number) => /^M\d{7}$/.test(buffer.toString('latin1', at, at + 8)),
      search: (buffer: Buffer, at: number) => buffer.indexOf('M', at),
      measure: async (input: Input) => {
        await input.fill(8)
        const head = input.buffer.toString('latin1', input.position, input.position + 8)
        if (!/^M\d{7}$/.test(head)) return undefined
        const content = Number(head.slice(1)) * 10
        return { headers: 8, content, padding: 2, path: head, isEnd: false }
      },
      align: 1,
      end: Buffer.from('end'),
    }
    const member = (tens: number) =>
      Buffer.concat([
        Buffer.from(`M${String(tens).padStart(7, '0')}`),
        Buffer.alloc(tens * 10, 'text'),
        Buffer.alloc(2),
      ])
    const small = member(3)
    const large = member(6_800_000)

    async function mended(bytes: Buffer) {
      const losses: { pathname: string | undefined; message: string }[] = []
      const reading = new Reading('x', 'toy', ({ pathname, message }) => losses.push({ pathname, message }))
      const parts: Buffer[] = []
      for await (const part of wholeMembers(new Input(chunksOf(bytes, 1 << 20)), reading, frames))
        parts.push(Buffer.from(part))
      return { bytes: Buffer.concat(parts), largest: Math.max(...parts.map(({ length }) => length)), losses }
    }

    it('is kept whole, behind damage and before other members, in pieces', async () => {
      const { bytes, largest, losses } = await mended(Buffer.concat([Buffer.from('damage'), large, small]))
      expect(bytes.equals(Buffer.concat([large, small, frames.end]))).to.equal(true)
      expect(largest).to.be.at.most(1 << 20)
      expect(losses.map(({ message }) => message)).to.have.length(2)
      expect(losses[0]?.message).to.include('damaged: 6 bytes skipped, up to the next member')
      expect(losses[1]?.message).to.include('truncated: the end of the archive is missing')
    })

    it('is left out when it is cut off, and reported by its name', async () => {
      const { bytes, losses } = await mended(Buffer.concat([small, large.subarray(0, -100)]))
      expect(bytes.equals(Buffer.concat([small, frames.end]))).to.equal(true)
      expect(losses[0]).to.include({ pathname: 'M6800000' })
      expect(losses[0]?.message).to.include('truncated: its content is cut off')
    })
  })

  it('leaves out a member whose checksum is wrong, and only that', async () => {
    const { mend } = await import('../../src/archive/formats/cpio/mend.ts')
    const losses: (string | undefined)[] = []
    const reading = new Reading('x', 'cpio', ({ pathname }) => losses.push(pathname))
    // newc with checksums (070702): its digits are hexadecimal.
    const crc = (name: string, text: string, sum: number) => {
      const fields = [0, 0o100600, 0, 0, 1, 0, text.length, 0, 0, 0, 0, name.length + 1, sum]
      const head = `070702${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
      const padded = (part: string) => part + '\0'.repeat(-part.length & 3)
      return padded(head) + padded(text)
    }
    const sumOf = (text: string) => Buffer.from(text).reduce((sum, byte) => sum + byte, 0)
    const archive = Buffer.from(
      crc('a', 'first', sumOf('first')) +
        crc('b', 'second', 1) +
        crc('c', 'last', sumOf('last')) +
        crc('TRAILER!!!', '', 0),
    )
    const parts: Uint8Array[] = []
    for await (const part of mend(new Input(chunksOf(archive, 1000)), reading)) parts.push(Buffer.from(part))
    const left = Buffer.concat(parts)
    expect([left.includes('first'), left.includes('second'), left.includes('last')]).to.deep.equal([true, false, true])
    expect(losses).to.deep.equal(['b'])
  })
  /** Members of four bytes, the first of which is M, and an end, E. */
  const frames = {
    headBytes: 1,
    lookBytes: 1,
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
      lookBytes: 1,
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

  describe('a header that says more content than is held in memory', () => {
    const MIB = 1 << 20

    it('takes a large member whose end proves it, byte for byte, and what follows', async () => {
      const content = Buffer.alloc(65 * MIB + 7, 'a large content, ')
      // What looks like a header in it changes nothing.
      newc('inner', Buffer.from('x')).copy(content, 1000)
      for (const [file, bytes] of [
        ['x.cpio', Buffer.concat([newc('large', content), newc('last', Buffer.from('last')), newc('TRAILER!!!')])],
        ['x.tar', Buffer.concat([tarOf('large', content), tarOf('last', Buffer.from('last')), Buffer.alloc(1024)])],
      ] as const) {
        const { members, losses } = await salvaged(file, bytes)
        expect(losses).to.deep.equal([])
        expect([...members.keys()]).to.deep.equal(['large', 'last'])
        expect(members.get('large')).to.equal(sha1(content))
      }
    })

    for (const [what, sizes] of [
      ['more than there is', [65 * MIB, 100 * MIB, 4000 * MIB]],
      ['less than there is', [65 * MIB, 65 * MIB + 8, 65 * MIB + 4096]],
    ] as const) {
      it(`goes on inside when it is false: it says ${what}`, async () => {
        const fill = Buffer.alloc(what.startsWith('less') ? 66 * MIB : 0, 'y')
        const names = Array.from({ length: 20 }, (_, i) => `value${i}`)
        for (const [file, member, end] of [
          ['x.cpio', newc, newc('TRAILER!!!')],
          ['x.tar', tarOf, Buffer.alloc(1024)],
        ] as const) {
          const parts = names.flatMap((name, i) => [
            member(name, Buffer.from(name)),
            ...sizes.slice(i % 4).map((size, n) => member(`false${i}.${n}`, Buffer.alloc(0), size)),
          ])
          const { members, losses } = await salvaged(
            file,
            Buffer.concat([...parts, member('fill', fill), member('last', Buffer.from('last')), end]),
          )
          for (const name of [...names, 'last'])
            expect(members.get(name), `${file} ${name}`).to.equal(sha1(Buffer.from(name)))
          expect(members.size, file).to.equal(names.length + 2)
          expect(members.get('fill')).to.equal(sha1(fill))
          expect(losses.filter((loss) => loss.includes('false'))).to.have.length(parts.length - names.length)
        }
      })
    }

    it('leaves out a large member whose checksum does not match, and goes on', async () => {
      const altered = newc('altered', Buffer.alloc(65 * MIB, 'z'))
      // A newc with checksums. That of the content would be another one.
      altered.write('070702')
      const bytes = Buffer.concat([altered, newc('last', Buffer.from('last')), newc('TRAILER!!!')])
      const { members, losses } = await salvaged('x.cpio', bytes)
      expect([...members.keys()]).to.deep.equal(['last'])
      expect(losses.join()).to.match(/altered: damaged: its checksum does not match/)
    })

    it('writes each byte to the temporary file once, however many such headers there are', async () => {
      const count = 3000
      const falseOnes = Array.from({ length: count }, (_, i) => newc(`false${i}`, Buffer.alloc(0), 65 * MIB + 4 * i))
      const bytes = Buffer.concat([...falseOnes, newc('last', Buffer.from('last')), newc('TRAILER!!!')])
      const written = await countWrites()
      try {
        const { members, losses } = await salvaged('x.cpio', bytes)
        expect([...members.keys()]).to.deep.equal(['last'])
        expect(losses.length).to.equal(count)
      } finally {
        written.stop()
      }
      expect(written.bytes).to.be.at.most(bytes.length)
      expect(written.bytes).to.be.above(0)
    })
  })

  it('goes on behind what seems to be a member that the reader refuses', async () => {
    const odd = newc('odd', Buffer.from('odd'))
    odd.write('0000f000', 14)
    for (const [file, member, end, refused] of [
      ['x.cpio', newc, newc('TRAILER!!!'), [newc('../a', Buffer.from('a')), newc('b\xff', Buffer.from('b')), odd]],
      ['x.tar', tarOf, Buffer.alloc(1024), [tarOf('../a', Buffer.from('a')), tarOf('c/../../b', Buffer.from('b'))]],
    ] as const) {
      const parts = refused.flatMap((bytes, i) => [member(`value${i}`, Buffer.from('v')), bytes])
      const { members, losses } = await salvaged(
        file,
        Buffer.concat([...parts, member('last', Buffer.from('last')), end]),
      )
      expect([...members.keys()], file).to.deep.equal([...refused.map((_, i) => `value${i}`), 'last'])
      expect(losses.join('\n'), file).to.include("the path holds '..'")
    }
  })

  describe('false headers in a zip without its directory', () => {
    const names = Array.from({ length: 10 }, (_, i) => `value${i}`)
    const local = (name: string | Buffer, packed = 0, flags = 0, method = 0) =>
      localOf(name, Buffer.alloc(0), { packed, flags, method })

    for (const [what, make] of [
      ['say more bytes than there are', () => local('false', 2 ** 30)],
      ['say most of the file', () => local('false', 3000)],
      ['say their sizes later, and nothing does', () => local('false', 0, 8)],
      ['name a method that nobody knows', () => local('false', 20, 0, 99)],
      ['are encrypted', () => local('false', 20, 1)],
      [
        'have a name with a NUL, or one that leads outside',
        () => Buffer.concat([local('a\0b'), local('../a'), local(Buffer.of(0xff, 0x2f, 0x2e, 0x2e))]),
      ],
    ] as const) {
      it(`hide no member behind them when they ${what}`, async () => {
        const bytes = Buffer.concat([
          ...names.flatMap((name) => [localOf(name, Buffer.from(name)), make(), Buffer.alloc(9, 'x')]),
          localOf('last', Buffer.from('last')),
        ])
        const { members, losses } = await salvaged('x.zip', bytes)
        for (const name of [...names, 'last']) expect(members.get(name), name).to.equal(sha1(Buffer.from(name)))
        expect([...members.keys()].filter((path) => path.includes('..'))).to.deep.equal([])
        expect(losses).to.not.deep.equal([])
      })
    }

    it('are looked at in one pass, though each says that its size comes later', async () => {
      const count = 2000
      const bytes = Buffer.concat([local('false', 0, 8), local('false', 0, 8), Buffer.alloc(2 << 20, 'x')])
      const file = join(scratch(), 'x.zip')
      writeFileSync(
        file,
        Buffer.concat([
          ...Array.from({ length: count }, () => local('false', 0, 8)),
          bytes,
          localOf('last', Buffer.from('last')),
        ]),
      )
      await using archive = await openArchive(file, { onLoss: () => {} })
      const paths: string[] = []
      for await (const batch of archive.batches()) for (const { path } of batch) paths.push(path)
      expect(paths).to.deep.equal(['last'])
      expect(archive.bytesRead).to.be.below(20 * (archive.size as number))
    })
  })
})

/** The header of a member of a zip, and its content. */
function localOf(
  name: string | Buffer,
  content: Buffer,
  { packed = content.length, flags = 0, method = 0 } = {},
): Buffer {
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 'latin1')
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(method, 8)
  header.writeUInt32LE(crc32(content), 14)
  header.writeUInt32LE(packed, 18)
  header.writeUInt32LE(packed, 22)
  header.writeUInt16LE(Buffer.from(name).length, 26)
  return Buffer.concat([header, Buffer.from(name), content])
}

const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex')

/** A member of a newc cpio. @param size - what its header says */
function newc(name: string, content: Buffer = Buffer.alloc(0), size = content.length): Buffer {
  const fields = [1, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
  return Buffer.concat([padded(Buffer.from(header)), padded(content)])
}

/** A member of a tar. @param size - what its header says */
function tarOf(name: string, content: Buffer = Buffer.alloc(0), size = content.length): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  header.write(`0000644\0${'0000000\0'.repeat(2)}${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 100)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)])
}

/** The digests of what is left of an archive, by its name. */
async function salvaged(name: string, bytes: Buffer): Promise<{ members: Map<string, string>; losses: string[] }> {
  const file = join(scratch(), name)
  writeFileSync(file, bytes)
  const members = new Map<string, string>()
  const losses: string[] = []
  await using archive = await openArchive(file, { onLoss: ({ message }) => losses.push(message) })
  for await (const batch of archive.batches()) {
    for (const { path, data, stream } of batch) {
      const hash = createHash('sha1')
      if (data) hash.update(data)
      if (stream) for await (const chunk of stream()) hash.update(chunk)
      members.set(path, hash.digest('hex'))
    }
  }
  return { members, losses }
}

/** Counts the bytes that are written by way of file handles. */
async function countWrites(): Promise<{ bytes: number; stop: () => void }> {
  const handle = await open(join(scratch(), 'none'), 'w')
  const prototype = Object.getPrototypeOf(handle) as {
    write: (...args: unknown[]) => Promise<{ bytesWritten: number }>
  }
  const { write } = prototype
  await handle.close()
  const counted = {
    bytes: 0,
    stop: () => {
      prototype.write = write
    },
  }
  prototype.write = async function (...args) {
    const result = await write.apply(this, args)
    counted.bytes += result.bytesWritten
    return result
  }
  return counted
}

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
