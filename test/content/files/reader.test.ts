import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openReader } from '../../../src/content/files/reader.ts'
import { blobrefOf, openStore } from '../../../src/content/index.ts'
import { copyOf, expected, scratch } from '../../support/fixtures.ts'

describe('content/files/reader', () => {
  it('names the directory that it cannot list', () => {
    const path = join(scratch(), 'absent')
    expect(() => openReader({ path, verify: true }))
      .to.throw(`cannot read ${path}: No such file or directory`)
      .with.property('code', 'ENOENT')
  })

  for (const [what, text] of Object.entries({
    'no JSON': '{"version":1,',
    'no checkpoint': '{"version":1,"rootref":"x","sequence":1,"timestamp":1}',
    nothing: '',
  })) {
    it(`says which file is damaged when the checkpoint is ${what}`, async () => {
      const dir = copyOf('files', 'content.files')
      writeFileSync(join(dir, 'kvs-primary'), text)
      await using store = await openStore(dir)
      const error = await store.checkpoints().catch((error) => error)
      expect(error).to.include({ code: 'EPROTO', message: `${join(dir, 'kvs-primary')}: not a checkpoint object` })
      // Its blobs can be read all the same.
      const [blob] = await store.loadBatch([expected('files').rootref], 1)
      expect(blob).to.be.instanceOf(Uint8Array)
    })
  }

  for (const verify of [true, false]) {
    it(`fails with the blobref when it is to stream what is no blob${verify ? '' : ', without verifying'}`, async () => {
      const dir = copyOf('files', 'content.files')
      const blob = Buffer.alloc(2_500_000, 'large')
      const [sound, gone, odd] = ['a', 'b', 'c'].map((end) =>
        blobrefOf('sha1', Buffer.concat([blob, Buffer.from(end)])),
      )
      writeFileSync(join(dir, sound as string), Buffer.concat([blob, Buffer.from('a')]))
      mkdirSync(join(dir, odd as string))
      await using store = await openStore(dir, { verify })
      const streamed = async (blobref: string) => {
        let bytes = 0
        for await (const piece of store.onDisk.stream(blobref)) bytes += piece.length
        return bytes
      }
      expect(await streamed(sound as string)).to.equal(blob.length + 1)
      expect(await streamed(gone as string).catch((error) => error)).to.include({ code: 'ENOENT', blobref: gone })
      const error = await streamed(odd as string).catch((error) => error)
      expect(error).to.include({ code: 'EIO', blobref: odd })
      expect(error.message).to.match(/: not a regular file$/)
      // It was there when it was verified.
      rmSync(join(dir, sound as string))
      expect(await streamed(sound as string).catch((error) => error)).to.include({ code: 'ENOENT', blobref: sound })
    })
  }
})
