/** A format of one's own: one descriptor in the list, and everything goes by it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { createArchive, createArchiveOf } from '../../src/archive/create.ts'
import type { FileFormat, FileOrigin, FileTarget } from '../../src/archive/formats/index.ts'
import type { FormatEncoder } from '../../src/archive/index.ts'
import { KINDS, type Kinds } from '../../src/archive/kinds.ts'
import type { Member, Reading } from '../../src/archive/member.ts'
import { openArchive, openArchiveOf } from '../../src/archive/open.ts'
import { StreamWriter } from '../../src/archive/stream-writer.ts'
import { ChunkWriter } from '../../src/bytes/index.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'
import { ATTRIBUTES } from '../support/write-archive.ts'

const MAGIC = 'toy\n'

/** A line of JSON for each member, the content of a file behind it, and an empty line at the end. */
class ToyEncoder implements FormatEncoder {
  readonly #out: ChunkWriter

  constructor(out: ChunkWriter) {
    this.#out = out
    this.#line(MAGIC.trimEnd())
  }

  file(path: string, size: number, parts: readonly Uint8Array[]): void {
    this.beginFile(path, size)
    for (const part of parts) this.data(part)
  }

  beginFile(path: string, size: number): void {
    this.#line(JSON.stringify({ path, size }))
  }

  data(part: Uint8Array): void {
    this.#out.write(part)
  }

  endFile(): void {}

  symlink(path: string, linkname: string): void {
    this.#line(JSON.stringify({ path, linkname }))
  }

  finish(): void {
    this.#line('')
  }

  #line(text: string): void {
    this.#out.write(Buffer.from(`${text}\n`))
  }
}

async function* readMembers({ input, reading }: FileOrigin): AsyncGenerator<Member[], void, undefined> {
  await input.skip(MAGIC.length)
  for (let line: string; (line = await readLine(input, reading)) !== ''; ) {
    const { path, size = 0, linkname = '' } = JSON.parse(line)
    const data = linkname === '' ? await input.take(size) : undefined
    const type = linkname === '' ? 'file' : 'symlink'
    const rest = { extra: undefined, offset: 0, stream: undefined }
    yield [{ ...ATTRIBUTES, ...rest, path, type, size, linkname, data }]
  }
  await input.drain()
}

async function readLine(input: FileOrigin['input'], reading: Reading): Promise<string> {
  for (let text = ''; ; ) {
    const byte = await input.take(1)
    if (byte.length === 0) throw reading.truncated('a line')
    if (byte[0] === 0x0a) return text
    text += byte.toString('latin1')
  }
}

const toy: FileFormat<'toy'> = {
  name: 'toy',
  extensions: ['.toy'],
  magic: [[[0, MAGIC]]],
  filtered: true,
  seekable: false,
  write: async () => ({
    openWriter({ type, sink, filter }: FileTarget) {
      const out = new ChunkWriter()
      return new StreamWriter(type, sink, out, new ToyEncoder(out), filter)
    },
  }),
  read: async () => ({ readMembers }),
}

/** How many files of this process are a given path. */
function openPipes(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === path).length
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // It was the one that listed the directory.
    return ''
  }
}

const kinds: Kinds = { ...KINDS, formats: [...KINDS.formats, toy] }

describe('a format of one descriptor', () => {
  for (const [extension, filter, begins] of [
    ['.toy', 'none', 'toy\n'],
    ['.toy.gz', 'gzip', '\x1f\x8b'],
    ['.toy.zst', 'zstd', '\x28\xb5\x2f\xfd'],
  ] as const) {
    it(`is written by its extension, ${extension}, and recognised by its content when it is read`, async () => {
      const path = join(scratch(), `x${extension}`)
      const archive = await createArchiveOf(kinds, path, { attributes: ATTRIBUTES })
      expect(archive.type).to.deep.equal({ format: 'toy', filter })
      archive.file('a', 4, [Buffer.from('data')])
      await archive.streamFile(
        'b',
        2,
        (async function* () {
          yield [Buffer.from('{'), Buffer.from('\n')]
        })(),
      )
      archive.symlink('c', 'a')
      await archive.finish()
      expect(readFileSync(path).toString('latin1', 0, begins.length)).to.equal(begins)

      await using opened = await openArchiveOf(kinds, path)
      expect(opened.type).to.deep.equal({ format: 'toy', filter })
      const members: (string | undefined)[][] = []
      for await (const batch of opened.batches()) {
        for (const { path, type, linkname, data } of batch) members.push([path, type, linkname, data?.toString()])
      }
      expect(members).to.deep.equal([
        ['a', 'file', '', 'data'],
        ['b', 'file', '', '{\n'],
        ['c', 'symlink', 'a', undefined],
      ])
    })
  }

  it('is told of where formats are listed, and of no level that it does not have', async () => {
    const attempt = (name: string, level?: number) =>
      createArchiveOf(kinds, join(scratch(), name), { attributes: ATTRIBUTES, level }).catch((error) => error)
    expect((await attempt('x.nosuch')).hint).to.include('.iso, .toy, .toy.gz, .toy.bz2, .toy.xz, .toy.zst')
    expect((await attempt('x.toy', 3)).message).to.equal('level 3: toy is not compressed')
    expect((await attempt('x.toy.gz', 10)).message).to.equal('level 10: gzip has levels 1 to 9')
  })

  it('leaves no spooled file behind when its reader cannot be opened', async () => {
    const pipe = join(scratch(), 'pipe')
    run('mkfifo', [pipe])
    const openFiles = () => readdirSync('/proc/self/fd').length
    for (const read of [
      async () => Promise.reject(new Error('no reader')),
      async () => ({
        readMembers(): never {
          throw new Error('no reader')
        },
      }),
    ]) {
      const formats = [...KINDS.formats, { ...toy, seekable: true, read }]
      const before = openFiles()
      const opened = openArchiveOf({ ...KINDS, formats }, pipe).catch((error) => error)
      await writeFile(pipe, `${MAGIC}\n`)
      expect(await opened).to.have.property('message', 'no reader')
      // Nothing waits for the pipe itself to be closed.
      while (openFiles() > before && openPipes(pipe) > 0) await setImmediate()
      expect(openFiles()).to.equal(before)
    }
  })

  it('is unknown where it is not listed', async () => {
    const path = join(scratch(), 'x.toy')
    const error = await createArchive(path, { attributes: ATTRIBUTES }).catch((error) => error)
    expect(error).to.have.property('code', 'EINVAL')
    await using archive = await createArchiveOf(kinds, path, { attributes: ATTRIBUTES })
    await archive.finish()
    expect(await openArchive(path).catch((error) => error)).to.have.property('code', 'ENOTSUP')
  })
})
