/** One of the two hierarchies of an image: the members of each directory in order, and the directories in order. */
import { setImmediate } from 'node:timers/promises'
import { arrange, type Identifiers } from './identifiers.ts'
import { DIRECTORY, ROOT } from './tree.ts'

/** Directories processed before yielding to the event loop: some milliseconds. */
export const TURN = 4096

export class Hierarchy {
  /** The directory of each node. The root's is itself. */
  readonly parent: Int32Array
  readonly identifiers: Identifiers
  /** All directories: the root first, level by level, each level by parent and identifier (ECMA-119 6.9.1). */
  readonly directories: Int32Array
  readonly #members: Int32Array
  /** Start of each node's members in `members`; they end at the start of the next node's. */
  readonly #start: Int32Array

  private constructor(parent: Int32Array, identifiers: Identifiers, directories: number) {
    this.parent = parent
    this.identifiers = identifiers
    this.directories = new Int32Array(directories)
    const count = parent.length
    this.#start = new Int32Array(count + 1)
    const members = new Int32Array(count)
    for (let node = 1; node < count; node++) increment(members, parent[node] as number)
    for (let node = 0; node < count; node++)
      this.#start[node + 1] = (this.#start[node] as number) + (members[node] as number)
    this.#members = new Int32Array(count - 1)
    const next = this.#start.slice()
    for (let node = 1; node < count; node++) this.#members[increment(next, parent[node] as number)] = node
  }

  /**
   * @param parent - parent of each node; its length is the number of nodes
   * @param kind - kind of each node
   */
  static async of(parent: Int32Array, kind: Uint8Array, identifiers: Identifiers): Promise<Hierarchy> {
    let directories = 0
    for (let node = 0; node < parent.length; node++) if (kind[node] === DIRECTORY) directories++
    const hierarchy = new Hierarchy(parent, identifiers, directories)
    const order = hierarchy.directories
    order[0] = ROOT
    for (let i = 0, known = 1; i < directories; i++) {
      const members = hierarchy.membersOf(order[i] as number)
      arrange(members, identifiers)
      for (const node of members) if (kind[node] === DIRECTORY) order[known++] = node
      if (i % TURN === TURN - 1) await setImmediate()
    }
    return hierarchy
  }

  /** The members of a directory, sorted by identifier once the hierarchy is complete. */
  membersOf(directory: number): Int32Array {
    return this.#members.subarray(this.#start[directory], this.#start[directory + 1])
  }
}

/** Increment one of the counts. @returns its previous value */
function increment(counts: Int32Array, at: number): number {
  const before = counts[at] as number
  counts[at] = before + 1
  return before
}
