/** The checksum of an archive, in a file beside it, as sha256sum(1) writes and checks it. */
import { createHash, type Hash } from 'node:crypto'
import {
  type BigIntStats,
  constants,
  fchmodSync,
  fstatSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { FluxError } from '../errors/index.ts'
import { followLinks, PartFile, syncFile, syncPath } from '../files/index.ts'

/** Bytes read at a time. */
const PIECE_BYTES = 1 << 20

/** Most bytes of a checksum file: more are not read. */
const MOST_BYTES = 64 << 10

/** The path of the checksum file of an archive. */
export function checksumPath(archive: string): string {
  return `${archive}.sha256`
}

/** The line of sha256sum for a file. A name with a backslash or a line break is escaped, and marked so. */
function lineOf(hex: string, name: string): string {
  const escaped = name.replace(/[\\\n\r]/g, (char) => (char === '\\' ? '\\\\' : char === '\n' ? '\\n' : '\\r'))
  return `${escaped === name ? '' : '\\'}${hex}  ${escaped}\n`
}

/** Computes the checksum of an archive while it is written, and gives it its name after the archive. */
export class ChecksumFile {
  readonly #archive: string
  readonly #path: string
  readonly #target: string
  readonly #part: PartFile
  readonly #hash: Hash = createHash('sha256')

  /** @throws {FluxError} `EEXIST` something else than a file has the name; else the errno of the file system */
  static async create(archive: string): Promise<ChecksumFile> {
    const path = checksumPath(archive)
    const { path: target, stats } = await followLinks(path)
    if (stats !== undefined && !stats.isFile()) {
      const hint = 'move that away, or choose another name'
      throw new FluxError('EEXIST', `cannot write ${path}: something else than a file has that name`, { hint })
    }
    return new ChecksumFile(archive, path, target, stats)
  }

  private constructor(archive: string, path: string, target: string, replaced: Stats | undefined) {
    this.#archive = archive
    this.#path = path
    this.#target = target
    this.#part = new PartFile(target, 'file')
    this.#part.setMode(undefined, replaced)
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  /**
   * Put the archive and its checksum under their names. Both cannot be renamed at once: so the older checksum goes first.
   * Whenever a crash comes, or another archive takes the name, there is a pair that fits, or an archive without a checksum.
   *
   * @param fd - of the archive, whose permissions the checksum gets
   * @param publish - renames the archive, and flushes its directory
   * @throws {FluxError} `EBUSY` another archive has taken the name; or the errno of the file system
   */
  async publish(fd: number, publish: () => Promise<void>): Promise<void> {
    const line = Buffer.from(lineOf(this.#hash.digest('hex'), basename(this.#archive)))
    for (let at = 0; at < line.length; ) at += writeSync(this.#part.fd, line, at)
    const archive = fstatSync(fd, { bigint: true })
    fchmodSync(this.#part.fd, Number(archive.mode & 0o777n))
    await syncFile(this.#part.fd)
    try {
      unlinkSync(this.#target)
      await syncPath(dirname(this.#target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    await publish()
    this.#assertNamed(archive)
    const own = fstatSync(this.#part.fd, { bigint: true })
    try {
      this.#part.publish('any')
      try {
        this.#assertNamed(archive)
      } catch (error) {
        // It would make the other archive look damaged. A checksum that came later stays.
        if (isSame(this.#target, own)) unlinkSync(this.#target)
        throw error
      }
      await syncPath(dirname(this.#target))
    } catch (error) {
      throw FluxError.fromSystem(error, `the archive is written, but not its checksum ${this.#path}`)
    }
  }

  /** @throws {FluxError} `EBUSY` */
  #assertNamed(archive: BigIntStats): void {
    const path = this.#archive
    if (isSame(path, archive)) return
    throw new FluxError('EBUSY', `cannot write ${path}: another archive took its name meanwhile`, {
      hint: 'give each its own name',
    })
  }

  /** Leave nothing behind. May be called at any time; never throws. */
  remove(): void {
    this.#part.remove()
  }
}

/** True when a path leads to the file of a status. */
function isSame(path: string, { dev, ino }: BigIntStats): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.dev === dev && found.ino === ino
}

/**
 * Remove the checksum of the archive that is about to be replaced: it would make the new one look damaged. Only a file
 * with one line of sha256sum for that name is removed, and a link never. What cannot be removed stays.
 */
export async function removeOlderChecksum(archive: string): Promise<void> {
  const path = checksumPath(archive)
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > MOST_BYTES) return
    const text = (await file.readFile()).toString()
    const [hex = ''] = /^[0-9a-f]{64}/.exec(text.replace(/^\\/, '')) ?? []
    const line = lineOf(hex, basename(archive))
    // sha256sum --binary puts an asterisk before the name.
    if (hex === '' || text.replace(/^(\\?[0-9a-f]{64} )\*/, '$1 ') !== line) return
    unlinkSync(path)
    await syncPath(dirname(path))
  } catch {}
}

/** The result of {@link compareChecksum}. */
export interface ChecksumResult {
  /** Path of the checksum file. */
  readonly path: string
  /** What it says, and what the archive has, in hex. */
  readonly recorded: string
  readonly found: string
}

/**
 * Read a file to its end, and compare it with the checksum file beside it.
 *
 * @returns undefined when there is no checksum file
 * @throws {FluxError} one of both cannot be read; `EPROTO` the checksum file holds no checksum of sha256sum
 */
export async function compareChecksum(archive: string, signal?: AbortSignal): Promise<ChecksumResult | undefined> {
  const path = checksumPath(archive)
  let text: string
  try {
    text = (await readFile(path, { signal })).subarray(0, MOST_BYTES).toString()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  }
  const recorded = /^\\?([0-9a-fA-F]{64})\b/m.exec(text)?.[1]
  if (recorded === undefined) {
    const hint = 'make it anew with sha256sum, or remove it'
    throw new FluxError('EPROTO', `${path}: holds no checksum of sha256sum`, { hint })
  }
  return { path, recorded: recorded.toLowerCase(), found: await sha256Of(archive, signal) }
}

async function sha256Of(path: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    await using file = await open(path)
    const hash = createHash('sha256')
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytesRead))
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  }
}
