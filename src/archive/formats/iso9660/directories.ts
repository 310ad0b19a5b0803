/**
 * The directories of one hierarchy. Each is an extent of whole sectors with its records, followed by its continuation
 * areas if it has any. Each is rendered twice: first to get its size, then with the positions that follow from all
 * sizes.
 */
import { setImmediate } from 'node:timers/promises'
import type { MemberAttributes } from '../../format-encoder.ts'
import { putBoth16, putBoth32, sectorsOf, shortDate } from './fields.ts'
import { type Hierarchy, TURN } from './hierarchy.ts'
import { FLAG_DIRECTORY, FLAG_MULTI_EXTENT, RECORD, SECTOR } from './layout.ts'
import { ContinuationArea } from './system-use.ts'
import { DIRECTORY, FILE, type MemberTree, ROOT } from './tree.ts'

/** The length of a record is one byte, and even. */
const MAX_RECORD_BYTES = 254

/**
 * Most bytes of a file that one record describes: whole sectors within 32 bits. A larger file has several records, for
 * the sections of ECMA-119 6.5.1. Interchange level 3 allows that.
 */
export const MAX_SECTION_BYTES = 2 ** 32 - SECTOR

/** What a record describes: the directory itself, its parent, or a member. */
export type Role = 'self' | 'parent' | 'member'

/** Adds the system use field, after the identifier of a record. */
export interface Extension {
  /**
   * @param directory - the directory that holds the record
   * @param node - the node that the record describes
   * @returns bytes written to `record` from `at`, at most `room`
   */
  put(
    role: Role,
    directory: number,
    node: number,
    record: Buffer,
    at: number,
    room: number,
    area: ContinuationArea,
  ): number
}

export class Directories {
  readonly hierarchy: Hierarchy
  /** First sector of each directory, by its node. */
  readonly sector: Uint32Array
  /** Sectors of all directories with their continuation areas. */
  sectors = 0
  /** All directories, in their order in the image. */
  readonly order: Int32Array
  readonly #tree: MemberTree
  readonly #extension: Extension | undefined
  /** Sectors of the records of each directory. */
  readonly #length: Uint32Array
  /** First sector of the data of files. */
  #dataSector = 0
  /** A record buffer, with the fields that all records share. */
  readonly #record = Buffer.alloc(256)
  #extent = Buffer.alloc(16 * SECTOR)
  #used = 0
  readonly #area = new ContinuationArea()

  constructor(
    tree: MemberTree,
    hierarchy: Hierarchy,
    order: Int32Array,
    { mtimeSeconds }: MemberAttributes,
    makeExtension?: (sector: Uint32Array) => Extension,
  ) {
    this.#tree = tree
    this.hierarchy = hierarchy
    this.order = order
    this.sector = new Uint32Array(hierarchy.parent.length)
    this.#length = new Uint32Array(hierarchy.parent.length)
    this.#extension = makeExtension?.(this.sector)
    this.#record.set(shortDate(mtimeSeconds), RECORD.date)
    putBoth16(this.#record, RECORD.sequenceNumber, 1)
  }

  /** Compute how many sectors each directory takes. Until {@link place}, `sector` counts from 0. */
  async measure(): Promise<void> {
    const { order } = this
    for (let i = 0; i < order.length; i++) {
      const directory = order[i] as number
      this.#write(directory)
      this.sector[directory] = this.sectors
      this.#length[directory] = this.#used / SECTOR
      this.sectors += this.#used / SECTOR + sectorsOf(this.#area.used)
      if (i % TURN === TURN - 1) await setImmediate()
    }
  }

  /** Set the first sector of the first directory, and of the data of files. */
  place(sector: number, dataSector: number): void {
    for (const directory of this.order) {
      this.sector[directory] = (this.sector[directory] as number) + sector
    }
    this.#dataSector = dataSector
  }

  /** The record of the root in a volume descriptor: 34 bytes (8.4.18). */
  rootRecord(): Buffer {
    const length = this.#fill(this.sector[ROOT] as number, this.#bytesOf(ROOT), FLAG_DIRECTORY, 0)
    return Buffer.from(this.#record.subarray(0, length))
  }

  /** The sectors of a directory. Views, valid until the next call. */
  render(directory: number): readonly Uint8Array[] {
    this.#write(directory)
    const extent = this.#extent.subarray(0, this.#used)
    if (this.#area.used === 0) return [extent]
    return [extent, this.#area.bytes.subarray(0, sectorsOf(this.#area.used) * SECTOR)]
  }

  #write(directory: number): void {
    const { hierarchy } = this
    const parent = hierarchy.parent[directory] as number
    this.#used = 0
    this.#area.reset((this.sector[directory] as number) + (this.#length[directory] as number))
    this.#add('self', directory, directory, this.sector[directory] as number, this.#bytesOf(directory), FLAG_DIRECTORY)
    this.#add('parent', directory, parent, this.sector[parent] as number, this.#bytesOf(parent), FLAG_DIRECTORY)
    for (const node of hierarchy.membersOf(directory)) this.#addMember(directory, node)
    const over = this.#used % SECTOR
    if (over > 0) this.#zeros(SECTOR - over)
  }

  #addMember(directory: number, node: number): void {
    const { kind, size, place } = this.#tree
    if (kind[node] === DIRECTORY) {
      this.#add('member', directory, node, this.sector[node] as number, this.#bytesOf(node), FLAG_DIRECTORY)
      return
    }
    const bytes = kind[node] === FILE ? (size[node] as number) : 0
    if (bytes === 0) {
      // A position within the image and after all directories: libarchive uses it even though there are no data.
      this.#add('member', directory, node, this.#dataSector, 0, 0)
      return
    }
    // The first sector of the data belongs to all files without data.
    let sector = this.#dataSector + 1 + (place[node] as number)
    for (let left = bytes; left > 0; left -= MAX_SECTION_BYTES) {
      const flags = left > MAX_SECTION_BYTES ? FLAG_MULTI_EXTENT : 0
      this.#add('member', directory, node, sector, Math.min(left, MAX_SECTION_BYTES), flags)
      sector += MAX_SECTION_BYTES / SECTOR
    }
  }

  #add(role: Role, directory: number, node: number, sector: number, bytes: number, flags: number): void {
    const record = this.#record
    let length = this.#fill(sector, bytes, flags, role === 'member' ? node : role === 'self' ? 0 : 1, role)
    if (this.#extension) {
      const room = MAX_RECORD_BYTES - length
      length += this.#extension.put(role, directory, node, record, length, room, this.#area)
      if (length % 2 === 1) record[length++] = 0
      record[0] = length
    }
    // A record must not cross a sector border (6.8.1.1).
    const over = this.#used % SECTOR
    if (over + length > SECTOR) this.#zeros(SECTOR - over)
    if (this.#used + length > this.#extent.length) {
      const grown = Buffer.alloc(2 * this.#extent.length)
      this.#extent.copy(grown, 0, 0, this.#used)
      this.#extent = grown
    }
    record.copy(this.#extent, this.#used, 0, length)
    this.#used += length
  }

  /** Fill the record up to its identifier and the byte that pads it to an even length. @returns its length so far */
  #fill(sector: number, bytes: number, flags: number, node: number, role: Role = 'self'): number {
    const record = this.#record
    putBoth32(record, RECORD.extent, sector)
    putBoth32(record, RECORD.dataLength, bytes)
    record[RECORD.flags] = flags
    let identifierLength = 1
    if (role === 'member') identifierLength = this.hierarchy.identifiers.put(node, record, RECORD.identifier)
    // The identifiers of the directory itself and of its parent (6.8.2.2).
    else record[RECORD.identifier] = node
    record[RECORD.identifierLength] = identifierLength
    let length = RECORD.identifier + identifierLength
    if (length % 2 === 1) record[length++] = 0
    record[0] = length
    return length
  }

  #bytesOf(directory: number): number {
    return (this.#length[directory] as number) * SECTOR
  }

  #zeros(count: number): void {
    this.#extent.fill(0, this.#used, this.#used + count)
    this.#used += count
  }
}
