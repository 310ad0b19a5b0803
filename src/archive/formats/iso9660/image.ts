/**
 * The layout of an image, and all of it except the data of files:
 *
 *     0    16 sectors that belong to the system, empty
 *     16   volume descriptors: primary, Joliet's, terminator
 *     19   path tables, L and M, of the primary hierarchy and of Joliet's
 *          directories of the primary hierarchy, each followed by its continuation areas
 *          directories of Joliet's hierarchy
 *          data: an empty sector for files without data, then the data of each file, from a new sector
 *
 * A directory comes after its parent, and all directories come before the data, so that an image can be read from a
 * pipe.
 */
import { ChunkWriter } from '../../../bytes/index.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import { Directories } from './directories.ts'
import { sectorsOf } from './fields.ts'
import { Hierarchy } from './hierarchy.ts'
import { JolietIdentifiers } from './joliet-identifiers.ts'
import { SECTOR, SYSTEM_SECTORS } from './layout.ts'
import { pathTable, pathTableBytes } from './path-table.ts'
import { PrimaryIdentifiers } from './primary-identifiers.ts'
import { readingOrder, relocate } from './relocation.ts'
import { RockRidgeRecords } from './rock-ridge-records.ts'
import type { MemberTree } from './tree.ts'
import { terminator, volumeDescriptor } from './volume-descriptors.ts'

const DESCRIPTORS = 3

export class Image {
  /** Sectors of the whole image. */
  readonly sectors: number
  readonly #attributes: MemberAttributes
  readonly #volumes: readonly Volume[]

  private constructor(attributes: MemberAttributes, volumes: readonly Volume[], dataSectors: number) {
    this.#attributes = attributes
    this.#volumes = volumes
    let sector = SYSTEM_SECTORS + DESCRIPTORS
    for (const volume of volumes) {
      volume.tableSector = sector
      sector += 2 * sectorsOf(volume.tableBytes)
    }
    const dataSector = volumes.reduce((sum, { directories }) => sum + directories.sectors, sector)
    for (const { directories } of volumes) {
      directories.place(sector, dataSector)
      sector += directories.sectors
    }
    this.sectors = dataSector + 1 + dataSectors
  }

  /**
   * @param tree - all members; relocation adds nodes to it
   * @throws {ArchiveError} `EEXIST` no name is free for the directory that holds relocated directories
   */
  static async of(tree: MemberTree, attributes: MemberAttributes): Promise<Image> {
    const members = tree.count
    const { dataSectors } = tree
    const relocated = relocate(tree)
    const primary = await Hierarchy.of(relocated.parent, relocated.kind, new PrimaryIdentifiers(tree, tree.count))
    const joliet = await Hierarchy.of(tree.parent.subarray(0, members), tree.kind, new JolietIdentifiers(tree, members))
    const volumes = [
      new Directories(
        tree,
        primary,
        readingOrder(primary.directories, relocated),
        attributes,
        (at) => new RockRidgeRecords(tree, relocated, attributes, at),
      ),
      new Directories(tree, joliet, joliet.directories, attributes),
    ].map((directories) => ({ directories, tableBytes: pathTableBytes(directories), tableSector: 0 }))
    for (const { directories } of volumes) await directories.measure()
    return new Image(attributes, volumes, dataSectors)
  }

  /**
   * The image without the data, in chunks of about 1 MiB. A chunk is valid until the next one is requested.
   *
   * @param applicationUse - bytes for that field of the primary descriptor
   */
  *head(applicationUse: Uint8Array = new Uint8Array()): Generator<Uint8Array> {
    const out = new ChunkWriter()
    out.zeros(SYSTEM_SECTORS * SECTOR)
    for (const [i, { directories, tableBytes, tableSector }] of this.#volumes.entries()) {
      out.write(
        volumeDescriptor({
          joliet: i > 0,
          sectors: this.sectors,
          pathTableBytes: tableBytes,
          pathTableL: tableSector,
          pathTableM: tableSector + sectorsOf(tableBytes),
          rootRecord: directories.rootRecord(),
          mtimeSeconds: this.#attributes.mtimeSeconds,
          applicationUse: i > 0 ? new Uint8Array() : applicationUse,
        }),
      )
    }
    out.write(terminator())
    for (const { directories, tableBytes } of this.#volumes) {
      for (const order of ['L', 'M'] as const) {
        out.write(pathTable(directories, order, tableBytes))
        out.zeros(sectorsOf(tableBytes) * SECTOR - tableBytes)
      }
    }
    for (const { directories } of this.#volumes) {
      for (const directory of directories.order) {
        for (const sectors of directories.render(directory)) out.write(sectors)
        if (out.ready > 0) yield* drain(out)
      }
    }
    out.zeros(SECTOR)
    yield* drain(out, true)
  }
}

interface Volume {
  readonly directories: Directories
  readonly tableBytes: number
  tableSector: number
}

function* drain(out: ChunkWriter, all = false): Generator<Uint8Array> {
  for (const chunk of out.take(all)) {
    yield chunk
    out.recycle(chunk)
  }
}
