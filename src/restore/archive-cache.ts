/**
 * Keeps the stores that archives were restored into, so that another look at the same archive is answered at once. Each
 * is a file `KEY.RANDOM.pack`, described by `KEY.json`; the key is made of what identifies the archive. A cache is
 * only a copy: whatever goes wrong with it, the archive is read again.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashName } from '../content/index.ts'
import { makeTemporaryDirectory, PartFile, syncPath } from '../files/index.ts'
import type { RestoreResult } from './restore.ts'

/** Part of each key. Change it when a restore gives another store than before, or when the form of an entry changes. */
const VERSION = 2

/** Smaller archives are restored in a moment. */
const LEAST_BYTES = 1 << 20

/** Most bytes of all stores; also at most this part of the room in the file system. */
const MOST_BYTES = 4 * 2 ** 30
const MOST_PART = 1 / 10

/** Most bytes of a description, and warnings in it. */
const DESCRIPTION_BYTES = 1 << 20
const MOST_WARNINGS = 1000

/** How much of both ends of an archive is hashed. */
const END_BYTES = 64 << 10

const STORE = /^([0-9a-f]{64})\.[0-9a-f]{12}\.pack$/
const DESCRIPTION = /^([0-9a-f]{64})\.json$/

/** A warning and its kind. */
export type Warning = readonly [message: string, kind: string]

/** What a restore gave besides its store. */
export interface Kept {
  readonly restored: RestoreResult
  readonly warnings: readonly Warning[]
}

interface Description extends Kept {
  /** Name and size of the file with the store. */
  readonly store: string
  readonly bytes: number
}

export class ArchiveCache {
  readonly #dir: string
  readonly #limit: number

  /**
   * @param dir - a directory to which only we can write
   * @param limit - most bytes of all stores (default 4 GiB)
   */
  constructor(dir: string, limit = MOST_BYTES) {
    this.#dir = dir
    this.#limit = limit
  }

  /**
   * What identifies an archive: its device, inode, size and times, and the bytes at both ends. Its time of change counts
   * too, which no program can set back.
   *
   * @param hash - the hash algorithm of the store
   * @returns undefined for an archive that is not kept: one that is small, a directory or a pipe
   */
  keyOf(path: string, hash: HashName): string | undefined {
    try {
      // Opening a pipe would wait for its other end.
      if (path === '-' || !statSync(path).isFile()) return undefined
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true })
        if (size < LEAST_BYTES) return undefined
        const identity = createHash('sha256').update([VERSION, hash, dev, ino, size, mtimeNs, ctimeNs].join(' '))
        const end = Buffer.alloc(END_BYTES)
        for (const at of [0n, size - BigInt(END_BYTES)])
          identity.update(end.subarray(0, readSync(fd, end, 0, END_BYTES, at)))
        return identity.digest('hex')
      } finally {
        closeSync(fd)
      }
    } catch {
      // Whoever opens the archive reports what is wrong with it.
      return undefined
    }
  }

  /** The store of an archive, if it is kept. It counts as used now. @returns its path, and what was kept with it */
  find(key: string): (Kept & { path: string }) | undefined {
    const found = this.#describe(key)
    if (found === undefined) this.drop(key)
    return found && { ...found, path: join(this.#dir, found.store) }
  }

  /**
   * Keep a store, if there is room. Those that were not used for longest have to go. Never throws.
   *
   * @param path - its file, which may be moved. An open reader is not disturbed
   */
  async keep(key: string, path: string, { restored, warnings }: Kept): Promise<void> {
    try {
      const { size: bytes } = statSync(path)
      if (warnings.length > MOST_WARNINGS || !this.#makeRoom(bytes)) return
      const store = `${key}.${randomBytes(6).toString('hex')}.pack`
      await this.#move(path, join(this.#dir, store))
      try {
        this.#publish(key, { restored, warnings, store, bytes })
      } catch {
        // Another process may have kept the same archive meanwhile.
        remove(join(this.#dir, store))
      }
    } catch {
      // Without it, the next look takes as long as this one.
    }
  }

  /** Remove a store and its description. Whoever has it open can go on reading it. Never throws. */
  drop(key: string): void {
    remove(this.#descriptionPath(key))
    this.#removeStores(key)
  }

  #descriptionPath(key: string): string {
    return join(this.#dir, `${key}.json`)
  }

  #describe(key: string): Description | undefined {
    try {
      const fd = openSync(this.#descriptionPath(key), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const stats = fstatSync(fd)
        if (!isOurs(stats) || stats.size > DESCRIPTION_BYTES) return undefined
        const [digest, text = ''] = readFileSync(fd, 'utf8').split('\n')
        if (digest !== digestOf(text)) return undefined
        const description = JSON.parse(text) as Description
        const store = lstatSync(join(this.#dir, description.store))
        if (STORE.exec(description.store)?.[1] !== key || !isOurs(store) || store.size !== description.bytes)
          return undefined
        const now = Date.now() / 1000
        futimesSync(fd, now, now)
        return description
      } finally {
        closeSync(fd)
      }
    } catch {
      return undefined
    }
  }

  #publish(key: string, description: Description): void {
    const text = JSON.stringify(description)
    if (text.length > DESCRIPTION_BYTES / 4) throw new RangeError('too long')
    const part = new PartFile(this.#descriptionPath(key), 'file')
    try {
      writeFileSync(part.fd, `${digestOf(text)}\n${text}`)
      part.publish('nothing')
    } finally {
      part.remove()
    }
  }

  /** Move a store to a new name in the cache: it is whole whenever it has that name. */
  async #move(path: string, to: string): Promise<void> {
    try {
      chmodSync(path, 0o600)
      renameSync(path, to)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    }
    const dir = makeTemporaryDirectory(this.#dir)
    try {
      const copy = join(dir.path, 'content.pack')
      await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await syncPath(copy)
      renameSync(copy, to)
    } finally {
      dir.remove()
    }
  }

  /** Remove the stores that were not used for longest, until so many bytes are free. @returns false: too many */
  #makeRoom(bytes: number): boolean {
    const stores = this.#stores()
    let total = stores.reduce((sum, { size }) => sum + size, 0)
    const { bavail, bsize } = statfsSync(this.#dir)
    const limit = Math.min(this.#limit, (bavail * bsize + total) * MOST_PART)
    if (bytes > limit) return false
    for (const { key, size } of stores) {
      if (total + bytes <= limit) break
      this.drop(key)
      total -= size
    }
    return true
  }

  /** All stores, those first that were not used for longest. Descriptions without a store are removed. */
  #stores(): { key: string; size: number; usedMs: number }[] {
    const names = readdirSync(this.#dir)
    const stores = names.flatMap((name) => {
      const key = STORE.exec(name)?.[1]
      const stats = lstatSync(join(this.#dir, name), { throwIfNoEntry: false })
      if (key === undefined || stats === undefined) return []
      const used = lstatSync(this.#descriptionPath(key), { throwIfNoEntry: false })
      return [{ key, size: stats.size, usedMs: (used ?? stats).mtimeMs }]
    })
    const keys = new Set(stores.map(({ key }) => key))
    for (const name of names) {
      const key = DESCRIPTION.exec(name)?.[1]
      if (key !== undefined && !keys.has(key)) remove(join(this.#dir, name))
    }
    return stores.sort((a, b) => a.usedMs - b.usedMs)
  }

  #removeStores(key: string): void {
    try {
      for (const name of readdirSync(this.#dir)) {
        if (STORE.exec(name)?.[1] === key) remove(join(this.#dir, name))
      }
    } catch {
      // The directory is gone, and they with it.
    }
  }
}

function isOurs(stats: Stats): boolean {
  return stats.isFile() && stats.uid === process.geteuid?.() && (stats.mode & 0o077) === 0
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Another process has removed it, or there is none.
  }
}
