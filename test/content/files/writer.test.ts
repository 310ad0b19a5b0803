import fs, { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { FilesWriter } from '../../../src/content/files/writer.ts'
import { blobrefHex, blobrefOf, decodeCheckpoint } from '../../../src/content/index.ts'
import { systemError, withBuiltin } from '../../support/builtin.ts'
import { scratch } from '../../support/fixtures.ts'
import { fakeProgram, withEnv } from '../../support/processes.ts'

const BLOBS = ['first', 'second', ''].map((text) => Buffer.from(text))
const BLOBREFS = BLOBS.map((blob) => blobrefOf('sha1', blob))
const CHECKPOINT = { rootref: BLOBREFS[0] as string, sequence: 7, timestamp: 1_700_000_000 }

function store(writer: FilesWriter): void {
  let at = 0
  const ends = BLOBS.map((blob) => {
    at += blob.length
    return at
  })
  writer.store({
    bytes: Buffer.concat(BLOBS),
    start: Float64Array.from([0, ...ends.slice(0, -1)]),
    end: Float64Array.from(ends),
    digests: Buffer.from(BLOBREFS.map(blobrefHex).join(''), 'hex'),
  })
}

/** A directory with an older checkpoint. */
function olderStore(): string {
  const dir = join(scratch(), 'content.files')
  mkdirSync(dir)
  const old = Buffer.from('old')
  writeFileSync(join(dir, blobrefOf('sha1', old)), old)
  writeFileSync(
    join(dir, 'kvs-primary'),
    JSON.stringify({ version: 1, rootref: blobrefOf('sha1', old), sequence: 3, timestamp: 1 }),
  )
  return dir
}

const checkpointOf = (dir: string) => {
  const text = readFileSync(join(dir, 'kvs-primary'), 'utf8')
  return decodeCheckpoint(JSON.parse(text), dir).sequence
}

/** What is in a directory, and beside it. */
const around = (dir: string) => [...readdirSync(dir).sort(), ...readdirSync(join(dir, '..')).sort()]

describe('content/files/writer', () => {
  for (const [what, program] of [
    ['no program sync', ''],
    ['a program sync that fails', 'exit 1'],
  ] as const) {
    it(`flushes each file by itself where there is ${what}`, async () => {
      const dir = olderStore()
      const flushed: string[] = []
      const { fsyncSync } = fs
      const watched = (fd: number) => {
        flushed.push(fs.readlinkSync(`/proc/self/fd/${fd}`).split('/').at(-1) as string)
        fsyncSync(fd)
      }
      const PATH = program === '' ? scratch() : fakeProgram('sync', program)
      await withEnv({ PATH }, async () => {
        const writer = new FilesWriter(dir, { hash: undefined })
        store(writer)
        await withBuiltin(fs, { fsyncSync: watched }, () => writer.commit(CHECKPOINT))
        writer.close()
      })
      expect(flushed).to.include.members([...BLOBREFS, 'kvs-primary', 'content.files'])
      for (const [i, blobref] of BLOBREFS.entries()) {
        expect(readFileSync(join(dir, blobref)).equals(BLOBS[i] as Buffer)).to.equal(true)
      }
      expect(checkpointOf(dir)).to.equal(7)
      expect(readdirSync(join(dir, '..'))).to.deep.equal(['content.files'])
    })
  }

  it('leaves a store as it was when a blob cannot be written', async () => {
    const dir = olderStore()
    const before = around(dir)
    const writer = new FilesWriter(dir, { hash: undefined })
    const failing = () => {
      throw systemError('ENOSPC')
    }
    const error = await withBuiltin(fs, { writeFileSync: failing }, () => store(writer)).catch((error) => error)
    expect(error).to.include({ code: 'ENOSPC' })
    expect(error.message).to.equal(`cannot write ${dir}: No space left on device`)
    writer.close()
    expect(around(dir)).to.deep.equal(before)
  })

  it('leaves a store as it was when its blobs cannot be flushed', async () => {
    const dir = olderStore()
    const before = around(dir)
    const writer = new FilesWriter(dir, { hash: undefined })
    store(writer)
    const failing = () => {
      throw systemError('EIO')
    }
    await withEnv({ PATH: scratch() }, async () => {
      const error = await withBuiltin(fs, { fsyncSync: failing }, () => writer.commit(CHECKPOINT)).catch(
        (error) => error,
      )
      expect(error).to.include({ code: 'EIO' })
    })
    writer.close()
    expect(around(dir)).to.deep.equal(before)
    expect(checkpointOf(dir)).to.equal(3)
  })

  for (const failsAt of [1, 3, 4]) {
    it(`keeps the older checkpoint when move ${failsAt} of 4 fails, and leaves nothing beside the store`, async () => {
      const dir = olderStore()
      const writer = new FilesWriter(dir, { hash: undefined })
      store(writer)
      const { renameSync } = fs
      let moves = 0
      const failing: typeof renameSync = (from, to) => {
        if (++moves === failsAt) throw systemError('EIO')
        renameSync(from, to)
      }
      const error = await withBuiltin(fs, { renameSync: failing }, () => writer.commit(CHECKPOINT)).catch(
        (error) => error,
      )
      expect(error).to.include({ code: 'EIO' })
      expect(error.message).to.match(/^cannot write .*content\.files: Input\/output error$/)
      writer.close()
      // The checkpoint is the last, so it does not refer to a blob that is not there.
      expect(checkpointOf(dir)).to.equal(3)
      expect(readdirSync(join(dir, '..'))).to.deep.equal(['content.files'])
      expect(readdirSync(dir)).to.have.length(2 + failsAt - 1)
    })
  }

  it('makes no store when it is closed without a commit', () => {
    const dir = join(scratch(), 'content.files')
    const writer = new FilesWriter(dir, { hash: undefined })
    store(writer)
    writer.close()
    expect(readdirSync(join(dir, '..'))).to.deep.equal([])
  })
})
