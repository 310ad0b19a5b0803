/** What is left of damaged archives: every whole member, exactly, and nothing that was not in them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { ArchiveError, openArchive } from '../../src/archive/index.ts'
import type { Tree } from '../support/archives.ts'
import { failure } from '../support/archives.ts'
import { scratch } from '../support/fixtures.ts'
import { WRITTEN, writeTree } from '../support/write-archive.ts'

/** Bytes that do not compress, and are the same in each run. */
function noise(seed: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes)
  let state = seed + 1
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    out[i] = state >>> 24
  }
  return out
}

/** Where archives are cut off: an image has its directories first, and bzip2 blocks of 900,000 bytes. */
const CUT = 0.5

const MEMBERS = 300
const tree: Record<string, string | Buffer | { to: string }> = {}
for (let i = 0; i < MEMBERS; i++) {
  const name = `job/${String(i).padStart(4, '0')}/eventlog`
  tree[name] = i % 50 === 49 ? { to: `job.${i}` } : noise(i, 300 + (i % 7) * 400)
}
// A name that needs a pax header, and a content that is streamed.
tree[`k/${'n'.repeat(180)}`] = 'long name'
tree.large = noise(1000, 1_500_000)
tree.last = 'the last one'

interface Left {
  tree: Map<string, Buffer | string>
  losses: ArchiveError[]
}

async function salvage(file: string): Promise<Left> {
  const left: Left = { tree: new Map(), losses: [] }
  await using archive = await openArchive(file, { onLoss: (error) => left.losses.push(error) })
  for await (const batch of archive.batches()) {
    for (const { path, type, data, stream, linkname } of batch) {
      if (type === 'directory') continue
      const parts: Buffer[] = data ? [Buffer.from(data)] : []
      if (stream) for await (const chunk of stream()) parts.push(Buffer.from(chunk))
      left.tree.set(path, type === 'symlink' ? linkname : Buffer.concat(parts))
    }
  }
  return left
}

/** All that is left was in the archive. @returns the paths that are lost */
function lostOf({ tree: left }: Left, all: Tree = tree): string[] {
  for (const [path, what] of left) {
    const was = all[path]
    expect(was, path).not.to.equal(undefined)
    if (typeof was === 'object' && 'to' in was) expect(what).to.equal(was.to)
    else expect(Buffer.from(was as string | Buffer).equals(what as Buffer), path).to.equal(true)
  }
  return Object.keys(all).filter((path) => !left.has(path))
}

describe('archive/salvage', () => {
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-salvage-'))
  after(() => rmSync(dir, { recursive: true, force: true }))
  const whole = new Map<string, Buffer>()
  before(async () => {
    for (const extension of WRITTEN) {
      if (extension === '/') continue
      const file = join(dir, `whole${extension}`)
      // bzip2 in small blocks, so that damage hits one of many.
      await writeTree(file, tree, extension === '.tbz2' ? { level: 1 } : {})
      whole.set(extension, readFileSync(file))
    }
  })
  const damaged = (extension: string, change: (bytes: Buffer) => Buffer): string => {
    const file = join(dir, `damaged${extension}`)
    writeFileSync(file, change(Buffer.from(whole.get(extension) as Buffer)))
    return file
  }

  for (const extension of WRITTEN) {
    if (extension === '/') continue

    it(`reads a whole ${extension} as without salvage`, async () => {
      const left = await salvage(damaged(extension, (bytes) => bytes))
      expect(left.losses).to.deep.equal([])
      expect(lostOf(left)).to.deep.equal([])
    })

    it(`reads a ${extension} that is cut off, up to there`, async () => {
      const file = damaged(extension, (bytes) => bytes.subarray(0, Math.floor(bytes.length * CUT)))
      expect(await failure(file)).to.be.instanceOf(ArchiveError)
      const left = await salvage(file)
      const lost = lostOf(left)
      expect(lost).to.include('last')
      expect(left.losses).not.to.have.length(0)
      expect(left.tree.size).to.be.above(40)
    })
  }

  for (const extension of ['.tar', '.cpio', '.zip', '.tbz2']) {
    it(`goes on after damage in the middle of a ${extension}`, async () => {
      const isZip = extension === '.zip'
      // From the header of a member on: the formats do not tell that a content was overwritten.
      const found = (whole.get(extension) as Buffer).indexOf('job/0100')
      const at = extension === '.tbz2' ? 200_000 : extension === '.cpio' ? found - 76 : found
      const file = damaged(extension, (bytes) => bytes.fill(0x55, at, at + 400))
      const left = await salvage(file)
      const lost = lostOf(left)
      expect(left.losses).not.to.have.length(0)
      expect(lost.length).to.be.within(1, extension === '.tbz2' ? 290 : 8)
      expect(lost).not.to.include('last')
      if (isZip) expect(left.losses.every(({ pathname }) => pathname !== undefined)).to.equal(true)
    })

    it(`goes on where a piece of a ${extension} is missing`, async () => {
      const file = damaged(extension, (bytes) => Buffer.concat([bytes.subarray(0, 200_000), bytes.subarray(201_333)]))
      const left = await salvage(file)
      expect(lostOf(left).length).to.be.within(1, extension === '.tbz2' ? 290 : 8)
      expect(left.tree.has('last')).to.equal(true)
      expect(left.losses).not.to.have.length(0)
    })

    it(`finds a ${extension} whose beginning is gone`, async () => {
      const file = damaged(extension, (bytes) => bytes.fill(0, 0, 1500))
      expect(await failure(file)).to.be.instanceOf(ArchiveError)
      const left = await salvage(file)
      expect(left.tree.has('last')).to.equal(true)
      expect(left.losses).not.to.have.length(0)
      expect(lostOf(left).length).to.be.within(1, extension === '.tbz2' ? 290 : 8)
    })
  }

  it('finds a zip without its directory, with its links', async () => {
    const left = await salvage(damaged('.zip', (bytes) => bytes.subarray(0, bytes.length - 10_000)))
    const lost = lostOf(left)
    expect(left.tree.get('job/0049/eventlog')).to.equal('job.49')
    expect(lost).to.deep.equal([])
    expect(left.losses[0]?.message).to.include('directory')
  })

  it('finds the members of a zip from a pipe of another writer, which tells sizes only after contents', async function () {
    try {
      execFileSync('bsdtar', ['--version'])
    } catch {
      this.skip()
    }
    const files = scratch()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(files, name), noise(name.charCodeAt(0), 4000))
    const bytes = execFileSync('sh', ['-c', 'bsdtar -c --format zip -f - a b c | cat'], { cwd: files })
    const file = join(dir, 'piped.zip')
    writeFileSync(file, bytes.subarray(0, bytes.length - 30))
    const left = await salvage(file)
    expect([...left.tree.keys()]).to.deep.equal(['a', 'b', 'c'])
    expect(left.tree.get('b')).to.deep.equal(noise('b'.charCodeAt(0), 4000))
  })

  it('does not take a part of a compressed file for a member', async () => {
    for (const extension of ['.tgz', '.txz', '.tar.zst']) {
      const left = await salvage(damaged(extension, (bytes) => bytes.subarray(0, 100_000)))
      expect(lostOf(left)).to.include('last')
      expect(left.tree.size, extension).to.be.above(20)
    }
  })

  it('goes on after zeros within a tar, and takes zeros at its end for the end', async () => {
    const more = await salvage(
      damaged('.tar', (bytes) =>
        Buffer.concat([bytes.subarray(0, 51_200), Buffer.alloc(4096), bytes.subarray(51_200)]),
      ),
    )
    expect(more.losses).not.to.have.length(0)
    expect(more.tree.has('last')).to.equal(true)
    const end = await salvage(damaged('.tar', (bytes) => Buffer.concat([bytes, Buffer.alloc(100_000)])))
    expect(end.losses).to.deep.equal([])
  })

  it('says that the last member of a tar is lost when zeros took its header', async () => {
    const file = damaged('.tar', (bytes) => {
      const at = bytes.lastIndexOf('last\0')
      return bytes.fill(0, at, at + 512)
    })
    const left = await salvage(file)
    expect(lostOf(left)).to.deep.equal(['last'])
    expect(left.losses).to.have.length(1)
    expect(left.losses[0]?.message).to.match(
      /: damaged: \d+ bytes skipped behind zeros, up to the end \(at byte \d+\)$/,
    )
  })

  it('goes on behind a tar header that has lost its name or its type, but not its checksum', async () => {
    for (const change of [(header: Buffer) => header.fill(0, 0, 100), (header: Buffer) => header.fill(' ', 156, 157)]) {
      const file = damaged('.tar', (bytes) => {
        const at = bytes.indexOf('job/0100')
        const header = change(bytes.subarray(at, at + 512)).fill(' ', 148, 156)
        const sum = header.reduce((total, byte) => total + byte, 0)
        header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
        return bytes
      })
      const left = await salvage(file)
      expect(lostOf(left)).to.deep.equal(['job/0100/eventlog'])
      expect(left.losses).not.to.have.length(0)
    }
  })

  it('finds the members of a zip that was joined to another one and cut off', async () => {
    const file = join(dir, 'joined.zip')
    await writeTree(file, { first: 'of the first zip' })
    const first = readFileSync(file)
    await writeTree(file, { second: 'of the second zip', cut: noise(1, 5000) })
    writeFileSync(file, Buffer.concat([first, readFileSync(file).subarray(0, 1000)]))
    const left = await salvage(file)
    expect([...left.tree.keys()]).to.deep.equal(['first', 'second'])
    expect(left.losses.map(({ message }) => message).join('\n')).to.include('members follow the end of the zip')
    writeFileSync(file, Buffer.concat([first, readFileSync(file).subarray(first.length, first.length + 20)]))
    expect((await salvage(file)).losses).to.have.length(1)
    // A comment may hold anything.
    const comment = Buffer.concat([first, Buffer.from('PK\x03\x04 is how a member begins')])
    comment.writeUInt16LE(comment.length - first.length, first.length - 2)
    writeFileSync(file, comment)
    expect((await salvage(file)).losses).to.deep.equal([])
  })

  it('never gives a member that was not there, whatever is cut out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('.cpio', '.zip', '.tbz2', '.txz'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 20_000 }),
        async (extension, part, gap) => {
          const file = damaged(extension, (bytes) => {
            const at = Math.floor(part * (bytes.length - 1))
            return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + gap)])
          })
          let left: Left
          try {
            left = await salvage(file)
          } catch (error) {
            // The beginning of a compressed file cannot be found again.
            expect(error).to.be.instanceOf(ArchiveError)
            return
          }
          if (lostOf(left).length > 0) expect(left.losses).not.to.have.length(0)
        },
      ),
      { numRuns: 60, seed: 17 },
    )
  })
})
