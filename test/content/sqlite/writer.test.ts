import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobrefHex, blobrefOf } from '../../../src/content/blobref.ts'
import { openWriter } from '../../../src/content/sqlite/writer.ts'
import { noise } from '../../support/decoding.ts'
import { scratch } from '../../support/fixtures.ts'

/** A batch of one blob. */
function batchOf(blob: Buffer) {
  const digests = Buffer.from(blobrefHex(blobrefOf('sha1', blob)), 'hex')
  return { bytes: blob, start: Float64Array.of(0), end: Float64Array.of(blob.length), digests }
}

describe('content/sqlite/writer', () => {
  it('stores nothing outside of its transaction, after SQLite has ended that because the disk is full', function () {
    const disk = scratch()
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0) this.skip()
    try {
      const path = join(disk, 'content.sqlite')
      const writer = openWriter({ path, name: path, hash: 'sha1' })
      // More than SQLite keeps in memory.
      expect(() => writer.store(batchOf(noise(20 << 20))))
        .to.throw(`${path}: database or disk is full`)
        .with.include({ code: 'ENOSPC', hint: 'make room; the store is as it was' })
      expect(() => writer.store(batchOf(Buffer.from('small'))))
        .to.throw(`${path}: SQLite has given the transaction up`)
        .with.property('code', 'EIO')
      writer.close()
    } finally {
      spawnSync('umount', [disk])
    }
  })
})
