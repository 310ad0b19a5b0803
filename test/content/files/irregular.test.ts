import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobrefOf, type ContentError, openStore } from '../../../src/content/index.ts'
import { copyOf, expected, scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'

/** What may lie in the place of a file, and what is said of it. */
const IRREGULAR: Record<string, { make: (path: string) => void; words: RegExp }> = {
  'a pipe': { make: (path) => execFileSync('mkfifo', [path]), words: /: not a regular file$/ },
  'a link to a device': { make: (path) => symlinkSync('/dev/zero', path), words: /: not a regular file$/ },
  'a link to nothing': { make: (path) => symlinkSync('nothing', path), words: /: not a regular file$/ },
  'a directory': { make: (path) => mkdirSync(path), words: /: not a regular file$/ },
  'a file of 8 GB': {
    make: (path) => {
      writeFileSync(path, '')
      truncateSync(path, 8e9)
    },
    words: /: has 8000000000 bytes, and \d+ are the most it can have$/,
  },
}

describe('content/files, what is no file', () => {
  for (const [what, { make, words }] of Object.entries(IRREGULAR)) {
    it(`takes ${what} for an unreadable blob`, async () => {
      const dir = copyOf('files', 'content.files')
      const blobref = expected('files').rootref
      const other = `sha1-${'0'.repeat(40)}`
      rmSync(join(dir, blobref))
      make(join(dir, blobref))
      for (const verify of [true, false]) {
        await using store = await openStore(dir, { verify })
        for (const results of [await store.loadBatch([blobref, other], 1), await store.checkBatch([blobref, other])]) {
          const [irregular, missing] = results as ContentError[]
          expect(irregular?.code).to.equal('EIO')
          expect(irregular?.message).to.match(words)
          expect(missing?.code).to.equal('ENOENT')
        }
        if (!what.includes('8 GB')) expect([...(await store.onDisk.sizes([blobref]))]).to.deep.equal([-1])
      }
    })

    it(`does not read ${what} for the checkpoint`, async () => {
      const dir = copyOf('files', 'content.files')
      rmSync(join(dir, 'kvs-primary'))
      make(join(dir, 'kvs-primary'))
      await using store = await openStore(dir)
      const error = await store.checkpoints().catch((error) => error)
      expect(error.message).to.match(words)
    })
  }

  it('archives nothing from outside by way of a link', async () => {
    const dir = copyOf('files', 'content.files')
    const secret = join(scratch(), 'secret')
    writeFileSync(secret, '{"data":{"a":{"data":"YQ==","type":"val","ver":1}},"type":"dir","ver":1}')
    const { rootref } = expected('files')
    rmSync(join(dir, rootref))
    symlinkSync(secret, join(dir, rootref))
    const archive = join(scratch(), 'x.tar')
    const { status, stderr } = await runInProcess(['dump', '-q', '--no-verify', '--store', dir, archive])
    expect(status).to.equal(1)
    expect(stderr).to.include('not a regular file')
  })

  it('checks a blob that is larger than a piece', async () => {
    const dir = copyOf('files', 'content.files')
    const blob = Buffer.alloc(2_500_000, 'large')
    const [sound, altered] = [blobrefOf('sha1', blob), blobrefOf('sha1', Buffer.alloc(2_500_001, 'other'))]
    writeFileSync(join(dir, sound), blob)
    writeFileSync(join(dir, altered), blob)
    await using store = await openStore(dir)
    const [none, error] = await store.checkBatch([sound, altered])
    expect(none).to.equal(undefined)
    expect(error?.code).to.equal('EBADMSG')
  })
})
