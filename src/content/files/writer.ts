/**
 * Blocking writes to a `content.files` directory (module content-files). Everything is first written into a temporary
 * directory beside it. The checkpoint is moved last: before that, nothing refers to the new blobs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FluxError, writeError } from '../../errors/index.ts'
import { findProgram, syncPathSync } from '../../files/index.ts'
import type { BlobBatch, BlobWriter } from '../blob-batch.ts'
import { blobrefHash, DIGEST_BYTES, type HashName, isBlobref } from '../blobref.ts'
import { type Checkpoint, encodeCheckpoint } from '../checkpoint.ts'
import { giveTo, NewFile, ownerIn } from '../new-file.ts'
import { CHECKPOINT_FILE } from './checkpoint-file.ts'

/** The directory to write or to make. */
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
   * @param options.hash - the algorithm of an empty or new directory (default sha1); any other must already have it
   * @throws {FluxError} `EINVAL` the directory has another algorithm; or the errno of the file system
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
      throw writeError(error, this.#dir)
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
      throw writeError(error, this.#dir)
    }
  }

  #move(name: string): void {
    renameSync(join(this.#staged.path, name), join(this.#dir, name))
  }

  /** Flush all files at once with sync(1), if it is there. One by one, each file costs a disk access. */
  #sync(): void {
    const dir = this.#staged.path
    const program = findProgram('sync')
    if (program !== undefined && spawnSync(program, ['-f', '--', dir]).status === 0) return
    for (const name of readdirSync(dir)) syncPathSync(join(dir, name))
    syncPathSync(dir)
  }
}
