/** Adds the Rock Ridge entries to the records of the primary hierarchy. */
import type { MemberAttributes } from '../../format-encoder.ts'
import { putAttributes } from './attribute-list.ts'
import type { Extension, Role } from './directories.ts'
import { PLACEHOLDER, type Relocated } from './relocation.ts'
import { RockRidge } from './rock-ridge.ts'
import { type ContinuationArea, SystemUse } from './system-use.ts'
import { DIRECTORY, type MemberTree, ROOT, SYMLINK } from './tree.ts'

export class RockRidgeRecords implements Extension {
  readonly #tree: MemberTree
  readonly #relocated: Relocated
  /** First sector of each directory. */
  readonly #sector: Uint32Array
  readonly #entries: RockRidge
  readonly #use = new SystemUse()
  /** The link count of each directory: one from its parent, one from itself, and one from each subdirectory. */
  readonly #links: Uint32Array

  constructor(tree: MemberTree, relocated: Relocated, attributes: MemberAttributes, sector: Uint32Array) {
    this.#tree = tree
    this.#relocated = relocated
    this.#sector = sector
    this.#entries = new RockRidge(attributes)
    this.#links = new Uint32Array(tree.count).fill(2)
    for (let node = 1; node < tree.count; node++) {
      // Counts as in POSIX, for the original place of a moved directory.
      if (tree.kind[node] !== DIRECTORY || node === relocated.hidden) continue
      const parent = tree.parent[node] as number
      this.#links[parent] = (this.#links[parent] as number) + 1
    }
  }

  put(
    role: Role,
    directory: number,
    node: number,
    record: Buffer,
    at: number,
    room: number,
    area: ContinuationArea,
  ): number {
    const use = this.#use
    use.reset()
    if (role === 'member') this.#member(use, node)
    else {
      const root = role === 'self' && node === ROOT
      if (root) this.#entries.announce(use)
      this.#directory(use, node)
      const from = role === 'parent' ? this.#relocated.movedOutOf.get(directory) : undefined
      if (from !== undefined) this.#entries.movedFrom(use, this.#sector[from] as number)
      if (root) this.#entries.identify(use)
    }
    return use.place(record, at, room, area)
  }

  #directory(use: SystemUse, node: number): void {
    this.#entries.directory(use, this.#links[node] as number, node + 1)
  }

  #member(use: SystemUse, node: number): void {
    const { kind, names, nameAt, place, targets, extras } = this.#tree
    const entries = this.#entries
    switch (kind[node]) {
      case DIRECTORY:
        this.#directory(use, node)
        if (node === this.#relocated.hidden || this.#relocated.movedOutOf.has(node)) entries.moved(use)
        break
      case PLACEHOLDER: {
        const moved = this.#relocated.movedFrom.get(node) as number
        this.#directory(use, moved)
        entries.movedTo(use, this.#sector[moved] as number)
        break
      }
      case SYMLINK:
        entries.symlink(use, node + 1)
        break
      default:
        entries.file(use, node + 1)
    }
    entries.name(use, names, nameAt[node] as number, this.#tree.nameEnd(node))
    if (kind[node] === SYMLINK) entries.target(use, targets[place[node] as number] as string)
    const extra = extras.size > 0 ? extras.get(node) : undefined
    if (extra !== undefined) putAttributes(use, extra)
  }
}
