/** The filters whose files are several streams or frames: bzip2, xz, zstd. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { BlockFilter } from '../../../src/archive/filters/block-filter.ts'
import { decode as bunzip2 } from '../../../src/archive/filters/bzip2/decode.ts'
import type { FilterDescriptor, FilterOptions } from '../../../src/archive/filters/filter.ts'
import { FILTERS } from '../../../src/archive/filters/index.ts'
import { decode as unxz } from '../../../src/archive/filters/xz/decode.ts'
import { decode as unzstd } from '../../../src/archive/filters/zstd/decode.ts'
import { ZstdCompressor } from '../../../src/archive/filters/zstd/encode.ts'
import { createArchive, type Sink } from '../../../src/archive/index.ts'
import { Reading } from '../../../src/archive/member.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { readMembers } from '../../support/archives.ts'
import { scratch } from '../../support/fixtures.ts'
import { Gate } from '../../support/gate.ts'
import { run, withEnv } from '../../support/processes.ts'

interface Case {
  /** Without the programs that it might use. */
  alone?: boolean
  filter: 'bzip2' | 'xz' | 'zstd'
  /** A fast level, its blocks, and all levels. */
  level: number
  blockBytes: number
  levels: [least: number, most: number]
  extensions: string[]
  decode(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncIterable<Uint8Array>
}

const CASES: Case[] = [
  {
    filter: 'bzip2',
    level: 1,
    blockBytes: 400_000,
    levels: [1, 9],
    extensions: ['.tar.bz2', '.tbz2'],
    decode: bunzip2,
  },
  {
    alone: true,
    filter: 'bzip2',
    level: 1,
    blockBytes: 400_000,
    levels: [1, 9],
    extensions: [],
    decode: bunzip2,
  },
  {
    filter: 'xz',
    level: 0,
    blockBytes: 4 << 20,
    levels: [0, 9],
    extensions: ['.tar.xz', '.txz'],
    decode: unxz,
  },
  { filter: 'zstd', level: 3, blockBytes: 4 << 20, levels: [1, 19], extensions: ['.tar.zst'], decode: unzstd },
]

function memorySink(): Sink & { written: Uint8Array[] } {
  const written: Uint8Array[] = []
  return { written, write: async (more) => void written.push(...more), commit: async () => {}, abort: async () => {} }
}

async function open(what: Case, sink: Sink, options: Partial<FilterOptions> = {}) {
  const opening = async () => {
    const { openFilter } = await (FILTERS.find(({ name }) => name === what.filter) as FilterDescriptor).encode()
    return openFilter(sink, { level: what.level, threads: 2, name: 'x', ...options })
  }
  return await (what.alone ? withEnv({ PATH: '/nonexistent' }, opening) : opening())
}

async function compress(what: Case, input: Uint8Array, options: Partial<FilterOptions> = {}, cut = 1 << 20) {
  const sink = memorySink()
  const filter = await open(what, sink, options)
  for (let at = 0; at < input.length; at += cut) await filter.write([input.subarray(at, at + cut)])
  await filter.finish()
  return Buffer.concat(sink.written)
}

async function uncompress({ filter, decode }: Case, packed: Uint8Array): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  async function* input() {
    yield packed
  }
  for await (const chunk of decode(input(), new Reading('x', filter))) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

/** Lines of a job's eventlog, as many bytes as asked for. */
function text(bytes: number): Buffer {
  const lines = Buffer.from(
    Array.from({ length: 20_000 }, (_, n) => `{"timestamp":${n * 7919},"name":"submit"}\n`).join(''),
  )
  return Buffer.alloc(bytes, lines)
}

for (const what of CASES) {
  const { filter, blockBytes, levels, alone } = what

  describe(`archive/filters/${filter}${alone ? ', without a program' : ''}`, () => {
    const inputs: [string, Buffer][] = [
      ['nothing', Buffer.alloc(0)],
      ['one byte', Buffer.from('a')],
      ['a block less a byte', text(blockBytes - 1)],
      ['a block', text(blockBytes)],
      ['a block and a byte', text(blockBytes + 1)],
      ['several blocks', text(3 * blockBytes + 777)],
      ['noise', randomBytes(blockBytes + 100)],
      ['zeros', Buffer.alloc(2 * blockBytes)],
    ]
    for (const [name, input] of inputs) {
      it(`is read by ${filter} and by us: ${name}`, async () => {
        const packed = await compress(what, input)
        const file = join(scratch(), 'x')
        writeFileSync(file, packed)
        run('sh', ['-c', `${filter} -t < "$0"`, file])
        expect(run(filter, ['-dc'], packed).equals(input)).to.equal(true)
        expect((await uncompress(what, packed)).equals(input)).to.equal(true)
      })
    }

    it('gives the same bytes for any number of threads, however the input comes', async () => {
      const input = Buffer.concat([text(2 * blockBytes), randomBytes(1000), text(3 * blockBytes)])
      const one = await compress(what, input, { threads: 1 })
      for (const [threads, cut] of [[2, 1 << 20] as const, [5, 77_777] as const, [16, input.length] as const]) {
        expect((await compress(what, input, { threads }, cut)).equals(one), `${threads} threads`).to.equal(true)
      }
    })

    it('compresses at every level', async () => {
      const input = text(100_000)
      for (let level = levels[0]; level <= levels[1]; level++) {
        expect(run(filter, ['-dc'], await compress(what, input, { level })).equals(input), `${level}`).to.equal(true)
      }
    })

    it('packs about as well as the program itself', async () => {
      // Several blocks of lines that are not alike, unlike those of text().
      const lines = Array.from({ length: 120_000 }, (_, n) => `{"t":${(n * 7919) % 99_991},"n":${n ** 3 % 10_007}}\n`)
      const input = Buffer.from(lines.join(''))
      const whole = run(filter, [`-${what.level}`, '-c'], input).length
      expect((await compress(what, input)).length).to.be.lessThan(whole * 1.03)
    })

    it('reads back any input', async () => {
      const chunks = fc.array(fc.uint8Array({ maxLength: 5000, size: 'max' }), { maxLength: 5 })
      const property = fc.asyncProperty(chunks, fc.integer({ min: 1, max: 4 }), async (parts, threads) => {
        const sink = memorySink()
        const opened = await open(what, sink, { threads })
        await opened.write(parts)
        await opened.finish()
        const back = await uncompress(what, Buffer.concat(sink.written))
        expect(back.equals(Buffer.concat(parts))).to.equal(true)
      })
      await fc.assert(property, { numRuns: 10 })
    })

    it('calls off what is under way, and is then of no use', async () => {
      const gate = new Gate()
      const opened = await open(what, { ...memorySink(), write: () => gate.pass() }, { level: levels[1] })
      const input = randomBytes(1 << 20)
      // As much as there is room for, and more: the last write waits for what will never be.
      const writing = opened.write(Array.from({ length: 200 }, () => input)).catch((error) => error)
      await gate.reached
      const aborted = opened.abort?.()
      gate.open()
      await aborted
      expect(await writing)
        .to.be.instanceOf(FluxError)
        .with.property('code', 'EINTR')
      const error = await opened.finish().catch((error) => error)
      expect(error).to.be.instanceOf(FluxError).with.property('code', 'EINTR')
    })

    it('may be called off before anything, after the end, and twice', async () => {
      const idle = await open(what, memorySink())
      await idle.abort?.()
      await idle.abort?.()
      const ended = await open(what, memorySink())
      await ended.finish()
      await ended.abort?.()
    })

    for (const extension of what.extensions) {
      it(`is what ${extension} asks for, and GNU tar reads it`, async () => {
        const file = join(scratch(), `x${extension}`)
        const attributes = { mode: 0o644, uid: 1, gid: 2, mtimeSeconds: 3 }
        await using archive = await createArchive(file, { attributes, level: what.level })
        const value = text(blockBytes)
        archive.file('a/b', value.length, [value])
        archive.symlink('c', 'a.b')
        await archive.finish()
        expect(archive.type).to.deep.equal({ format: 'tar', filter })
        expect(run('tar', ['-tf', file]).toString()).to.equal('a/b\nc\n')
        const members = await readMembers(file)
        expect(members.map(({ path }) => path)).to.deep.equal(['a/b', 'c'])
      })
    }
  })
}

describe('archive/filters/zstd, its frames', () => {
  it('say how long they are, and have a checksum', async () => {
    const packed = await compress(CASES.at(-1) as Case, text(5 << 20))
    const file = join(scratch(), 'x.zst')
    writeFileSync(file, packed)
    const said = run('zstd', ['-lv', file]).toString()
    expect(said)
      .to.match(/Frames: 2\n/)
      .and.match(/Decompressed Size: 5\.00 MiB/)
    expect(readFileSync(file)[4] as number).to.satisfy((flags: number) => (flags & 4) !== 0, 'a checksum')
  })
})

describe('archive/filters/zstd, called off', () => {
  it('does not compress to its end a block that it is at', async () => {
    const compressor = new ZstdCompressor(19)
    const packed = compressor.compress(text(4 << 20)).catch((error) => error)
    await compressor.close()
    expect(await packed).to.be.instanceOf(Error)
  })
})

describe('archive/filters/block-filter', () => {
  it('writes nothing after a block that failed, and names the archive', async () => {
    const sink = memorySink()
    let blocks = 0
    const compressor = {
      blockBytes: 10,
      compress: async (block: Uint8Array) => {
        if (++blocks === 3) throw new Error('no luck')
        return block
      },
    }
    const filter = new BlockFilter(sink, compressor, { level: 1, threads: 2, name: '/d/x' })
    const error = await filter.write([text(1000)]).catch((error) => error)
    expect(error).to.be.instanceOf(FluxError).with.property('message', 'cannot write /d/x: no luck')
    expect(Buffer.concat(sink.written).equals(text(20))).to.equal(true)
  })

  it('compresses no more blocks at once than it has threads', async () => {
    let running = 0
    let most = 0
    const compressor = {
      blockBytes: 10,
      compress: async (block: Uint8Array) => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        return block
      },
    }
    const sink = memorySink()
    const filter = new BlockFilter(sink, compressor, { level: 1, threads: 3, name: 'x' })
    await filter.write([text(1005)])
    await filter.finish()
    expect(most).to.equal(3)
    expect(Buffer.concat(sink.written).equals(text(1005))).to.equal(true)
  })
})
