/**
 * Blocking writes to a `content.files` directory (module content-files). Everything is written into a directory beside it
 * first. The checkpoint, without which nobody looks at the blobs, is the last to take its place.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import { syncPathSync } from '../../files/index.ts'
import type { BlobBatch, BlobWriter } from '../blob-batch.ts'
import { blobrefHash, DIGEST_BYTES, type HashName, isBlobref } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import { giveTo, NewFile, ownerIn } from '../new-file.ts'
import { CHECKPOINT_FILE } from './checkpoint-file.ts'

/** What is written, or made. */
export interface FilesWriting {
  path: string
  hash: HashName | undefined
}

/** See {@link WriterModule}. */
export function openWriter(data: FilesWriting): BlobWriter {
  return new FilesWriter(data.path, data)
}

export class FilesWriter implements BlobWriter {
  readonly hash: HashName
  readonly #dir: string
  readonly #isNew: boolean
  readonly #staged: NewFile
  readonly #owner: ReturnType<typeof ownerIn>

  /**
   * @param options.hash - the algorithm of a directory that is empty or new (default sha1); of any other, what it must be
   * @throws {FluxError} `EINVAL` when that differs; or the errno of the file system
   */
  constructor(dir: string, options: { hash: HashName | undefined }) {
    this.#dir = dir
    this.#isNew = !existsSync(dir)
    const there = this.#isNew ? undefined : readdirSync(dir).find(isBlobref)
    const found = there === undefined ? undefined : blobrefHash(there)
    if (found && options.hash && found !== options.hash) {
      throw new FluxError('EINVAL', `${dir}: is a store of ${found} blobrefs, not ${options.hash}`)
    }
    this.hash = found ?? options.hash ?? 'sha1'
    this.#staged = new NewFile(dir, 'directory')
    this.#owner = ownerIn(this.#isNew ? dirname(dir) : dir)
  }

  store({ bytes, start, end, digests }: BlobBatch): void {
    const width = DIGEST_BYTES[this.hash]
    const hex = Buffer.from(digests.buffer, digests.byteOffset, digests.length).toString('hex')
    for (let i = 0; i < start.length; i++) {
      const blobref = `${this.hash}-${hex.slice(i * 2 * width, (i + 1) * 2 * width)}`
      this.#write(blobref, bytes.subarray(start[i], end[i]))
    }
  }

  commit(checkpoint: Checkpoint): void {
    this.#write(CHECKPOINT_FILE, encodeCheckpoint(checkpoint))
    try {
      this.#sync()
      if (this.#isNew) {
        this.#staged.commit()
        return
      }
      const names = readdirSync(this.#staged.path).filter((name) => name !== CHECKPOINT_FILE)
      for (const name of names) this.#move(name)
      syncPathSync(this.#dir)
      this.#move(CHECKPOINT_FILE)
      syncPathSync(this.#dir)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#dir}`)
    }
    this.#staged.remove()
  }

  close(): void {
    this.#staged.remove()
  }

  #write(name: string, data: Uint8Array | string): void {
    try {
      const path = join(this.#staged.path, name)
      writeFileSync(path, data, { mode: 0o600 })
      giveTo(this.#owner, path)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#dir}`)
    }
  }

  #move(name: string): void {
    renameSync(join(this.#staged.path, name), join(this.#dir, name))
  }

  /** All files at once, if there is a tool for it: one after another takes a disk access each. */
  #sync(): void {
    const dir = this.#staged.path
    if (spawnSync('sync', ['-f', dir]).status === 0) return
    for (const name of readdirSync(dir)) syncPathSync(join(dir, name))
    syncPathSync(dir)
  }
}
