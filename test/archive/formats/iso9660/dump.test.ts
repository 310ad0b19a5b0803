import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../../../src/content/index.ts'
import { Dump } from '../../../../src/dump/index.ts'
import { expected, fixture, SOUND_CASES, scratch } from '../../../support/fixtures.ts'
import { expectSound, IsoImage, readWithBsdtar } from '../../../support/iso9660.ts'

describe('archive/formats/iso9660 of a dump', () => {
  for (const name of SOUND_CASES) {
    it(`holds every value and link of the fixture ${name}, from a file and from a pipe`, async () => {
      const dir = scratch()
      const file = join(dir, 'x.iso')
      await using store = await openStore(fixture(name))
      const result = await new Dump({ store, outfile: file, startSeconds: 1, mtimeSeconds: 99, uid: 7, gid: 8 }).run()
      expect(readdirSync(dir)).to.deep.equal(['x.iso'])
      const image = new IsoImage(file)
      expect(result.archiveBytes).to.equal(image.bytes.length)
      const wanted = expected(name).entries.map((entry) => ({
        path: entry.path,
        mode: 0o644,
        uid: 7,
        gid: 8,
        mtime: 99,
        ...(entry.type === 'symlink'
          ? { type: 'link', link: entry.target }
          : { type: 'file', size: entry.size, sha256: entry.sha256 }),
      }))
      for (const through of ['file', 'pipe'] as const) {
        const read = readWithBsdtar(file, through).filter(({ type }) => type !== 'dir')
        read.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
        expect(read).to.deep.equal(wanted)
      }
      expectSound(image, 'primary')
      expectSound(image, 'joliet')
    })
  }

  it('is not begun with a time that it cannot say', async () => {
    const dir = scratch()
    await using store = await openStore(fixture('basic'))
    const options = { store, outfile: join(dir, 'x.iso'), startSeconds: 1, mtimeSeconds: 1e12, uid: 7, gid: 8 }
    expect(await new Dump(options).run().catch((e) => e)).to.include({ code: 'EOVERFLOW' })
    expect(readdirSync(dir)).to.deep.equal([])
  })
})
