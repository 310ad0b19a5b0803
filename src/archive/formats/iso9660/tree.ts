/**
 * The members of an image as a tree of numbered nodes. Directory records can be written only when all sizes are known,
 * so some 40 bytes and the name of each member stay in memory to the end. They are kept in columns, since an object for
 * each would take ten times as much. A node's number is greater than its parent's.
 */
import { ArchiveError } from '../../archive-error.ts'
import type { ExtraRecords } from '../../format-encoder.ts'
import { OTHER_FORMAT_OR_EXCLUDE } from '../other-format.ts'
import { sectorsOf } from './fields.ts'

export const ROOT = 0

export const DIRECTORY = 0
export const FILE = 1
export const SYMLINK = 2
export type MemberKind = typeof FILE | typeof SYMLINK

/**
 * Most bytes of name, target and records of one member. Linux follows 31 continuation areas from a record, each one
 * sector with seven entries of full length, and does not show a member that has more.
 */
const MAX_MEMBER_BYTES = 50_000
/**
 * libarchive reads positions from 2^31 on as negative, so this is 2^31 less some room for directories. The format
 * allows twice as much.
 */
const MAX_DATA_SECTORS = 2 ** 31 - 2 ** 27

export class MemberTree {
  /** Number of nodes. */
  count = 0
  parent = new Int32Array(1024)
  kind = new Uint8Array(1024)
  /** Bytes of a file. */
  size = new Float64Array(1024)
  /** For a file its first sector, from the start of the data; for a symlink its index in `targets`. */
  place = new Uint32Array(1024)
  /** Offset of each name in `names`, which holds UTF-8. */
  nameAt = new Uint32Array(1024)
  nameLength = new Uint16Array(1024)
  names = Buffer.allocUnsafeSlow(1 << 16)
  readonly targets: string[] = []
  readonly extras = new Map<number, ExtraRecords>()
  /** Sectors of data so far. */
  dataSectors = 0
  #namesUsed = 0
  /**
   * A hash table of nodes by parent and name, with open addressing. 0 is a free slot, since the root is not in the
   * table.
   */
  #slots = new Int32Array(4096)
  #lastDirPath = ''
  #lastDir = ROOT

  constructor() {
    this.#append(ROOT, DIRECTORY, 0)
  }

  /**
   * Add a file. Its data take the next sectors.
   *
   * @throws {ArchiveError} `EEXIST` the path has been added before; `EISDIR`, `ENOTDIR` a path would be both a
   *   directory and a file or link; `EINVAL` a component is empty, `.`, `..` or holds a NUL; `ENAMETOOLONG` name,
   *   target and records are too long; `EFBIG` more data than an image can hold
   */
  file(path: string, size: number, extra?: ExtraRecords): void {
    const sectors = sectorsOf(size)
    if (this.dataSectors + sectors > MAX_DATA_SECTORS) {
      throw fail('EFBIG', path, `its ${size} bytes are more than are left of the 4 TB that an image can hold`)
    }
    const node = this.#member(path, FILE, extra)
    this.size[node] = size
    this.place[node] = this.dataSectors
    this.dataSectors += sectors
  }

  /** Add a symbolic link. @throws {ArchiveError} as {@link file} */
  symlink(path: string, target: string, extra?: ExtraRecords): void {
    if (target.includes('\0')) throw fail('EINVAL', path, 'the target of the link holds a NUL')
    // An empty part of the target takes two bytes for its one slash.
    const node = this.#member(path, SYMLINK, extra, 2 * Buffer.byteLength(target))
    this.place[node] = this.targets.length
    this.targets.push(target)
  }

  /** The entry `name` of a directory, or -1. */
  find(parent: number, name: string): number {
    const bytes = Buffer.from(name)
    this.#stage(bytes.length)
    bytes.copy(this.names, this.#namesUsed)
    return this.#lookup(parent, bytes.length)
  }

  /** Add an empty directory. */
  directory(parent: number, name: string): number {
    const bytes = Buffer.from(name)
    this.#stage(bytes.length)
    bytes.copy(this.names, this.#namesUsed)
    return this.#append(parent, DIRECTORY, bytes.length)
  }

  /** Add a node with the name of another one. {@link find} does not find it. */
  double(parent: number, kind: number, other: number): number {
    const node = this.#append(parent, kind, 0, false)
    this.nameAt[node] = this.nameAt[other] as number
    this.nameLength[node] = this.nameLength[other] as number
    return node
  }

  /** The name of a node. */
  name(node: number): string {
    return this.names.toString('utf8', this.nameAt[node], this.nameEnd(node))
  }

  nameEnd(node: number): number {
    return (this.nameAt[node] as number) + (this.nameLength[node] as number)
  }

  #member(path: string, kind: MemberKind, extra: ExtraRecords | undefined, targetBytes = 0): number {
    const slash = path.lastIndexOf('/')
    // Members of a directory mostly follow each other, so remember the last directory.
    if (slash !== this.#lastDirPath.length || !path.startsWith(this.#lastDirPath) || slash <= 0)
      this.#enter(path, slash)
    const length = this.#stageName(path, slash + 1, path.length)
    let bytes = length + targetBytes
    for (const name in extra) bytes += Buffer.byteLength(name) + Buffer.byteLength(extra[name] as string)
    if (bytes > MAX_MEMBER_BYTES) throw tooLong(path)
    const parent = this.#lastDir
    const found = this.#lookup(parent, length)
    if (found >= 0) {
      if (this.kind[found] === DIRECTORY) throw fail('EISDIR', path, 'is a directory that other members are in')
      throw fail('EEXIST', path, 'is in the archive already')
    }
    const node = this.#append(parent, kind, length)
    if (extra !== undefined) this.extras.set(node, extra)
    return node
  }

  /** Set `lastDir` to the directory of `path`, the part before `slash`. */
  #enter(path: string, slash: number): void {
    let dir = ROOT
    for (let from = 0; from <= slash; ) {
      const to = path.indexOf('/', from)
      const length = this.#stageName(path, from, to)
      const found = this.#lookup(dir, length)
      if (found >= 0 && this.kind[found] !== DIRECTORY) {
        throw fail('ENOTDIR', path, `cannot lie under ${JSON.stringify(path.slice(0, to))}, which is no directory`)
      }
      dir = found >= 0 ? found : this.#append(dir, DIRECTORY, length)
      from = to + 1
    }
    this.#lastDir = dir
    this.#lastDirPath = path.slice(0, Math.max(slash, 0))
  }

  /** Write a part of a path after the names, where `append` expects it. @returns its length in bytes */
  #stageName(path: string, from: number, to: number): number {
    this.#stage((to - from) * 3)
    const { names } = this
    const at = this.#namesUsed
    let length = 0
    for (let i = from; i < to; i++) {
      const code = path.charCodeAt(i)
      if (code >= 0x80) {
        length = names.write(path.slice(from, to), at)
        break
      }
      names[at + length++] = code
    }
    if (length > MAX_MEMBER_BYTES) throw tooLong(path)
    return length
  }

  #stage(bytes: number): void {
    if (this.#namesUsed + bytes <= this.names.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.names.length * 2, this.#namesUsed + bytes))
    this.names.copy(grown, 0, 0, this.#namesUsed)
    this.names = grown
  }

  /** Add a node with the staged name. */
  #append(parent: number, kind: number, length: number, findable = true): number {
    const node = this.count++
    if (node === this.parent.length) this.#grow()
    this.parent[node] = parent
    this.kind[node] = kind
    this.nameAt[node] = this.#namesUsed
    this.nameLength[node] = length
    this.#namesUsed += length
    if (node === ROOT || !findable) return node
    if (this.count * 2 > this.#slots.length) this.#rehash()
    else this.#slots[this.#freeSlot(node)] = node
    return node
  }

  #grow(): void {
    const length = this.parent.length * 2
    const into = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.parent = into(new Int32Array(length), this.parent)
    this.kind = into(new Uint8Array(length), this.kind)
    this.size = into(new Float64Array(length), this.size)
    this.place = into(new Uint32Array(length), this.place)
    this.nameAt = into(new Uint32Array(length), this.nameAt)
    this.nameLength = into(new Uint16Array(length), this.nameLength)
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let node = 1; node < this.count; node++) this.#slots[this.#freeSlot(node)] = node
  }

  #freeSlot(node: number): number {
    const mask = this.#slots.length - 1
    let slot = this.#hash(this.parent[node] as number, this.nameAt[node] as number, this.nameLength[node] as number)
    while (this.#slots[slot & mask] !== 0) slot++
    return slot & mask
  }

  /** The entry of `parent` with the staged name, or -1. */
  #lookup(parent: number, length: number): number {
    const { names, nameAt, nameLength } = this
    const staged = this.#namesUsed
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(parent, staged, length); ; slot++) {
      const node = this.#slots[slot & mask] as number
      if (node === 0) return -1
      if (this.parent[node] !== parent || nameLength[node] !== length) continue
      const at = nameAt[node] as number
      let i = 0
      while (i < length && names[at + i] === names[staged + i]) i++
      if (i === length) return node
    }
  }

  /** FNV-1a of the name, seeded with the parent. */
  #hash(parent: number, at: number, length: number): number {
    let hash = Math.imul(parent ^ 0x811c9dc5, 0x9e3779b1)
    for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ (this.names[i] as number), 0x01000193)
    return (hash ^ (hash >>> 15)) >>> 0
  }
}

function fail(
  code: 'EEXIST' | 'EFBIG' | 'EINVAL' | 'EISDIR' | 'ENAMETOOLONG' | 'ENOTDIR',
  pathname: string,
  what: string,
): ArchiveError {
  return new ArchiveError(code, { format: 'iso9660', pathname }, what, { hint: OTHER_FORMAT_OR_EXCLUDE })
}

function tooLong(path: string): ArchiveError {
  return fail('ENAMETOOLONG', path, `its names take more than the ${MAX_MEMBER_BYTES} bytes that readers accept`)
}
