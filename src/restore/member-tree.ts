/** Puts the members of an archive into a tree: under which key, and what is to be said about it. */
import type { Member } from '../archive/index.ts'
import { FluxError, printable } from '../errors/index.ts'
import { componentsOfMember, hasKeyRecord } from './member-key.ts'
import type { RestoreLeaf } from './open-dir.ts'
import type { Selection } from './selection.ts'
import type { SizedLeaf, TreeBuilder } from './tree-builder.ts'

export class MemberTree {
  readonly #tree: TreeBuilder
  readonly #selection: Selection
  readonly #onTwice: (path: string) => void
  /** The leaves of members whose key is in a record, by path: a hard link names its target by path. */
  readonly #byPath = new Map<string, SizedLeaf>()
  /**
   * The path of the tree's current directory, with a slash at its end. Most members are in the directory of the one
   * before. Undefined when the path does not say it.
   */
  #directory: string | undefined
  /** True when a component of the current directory holds a dot. */
  #directoryHasDot = false
  #unreachable = 0

  /** @param onTwice - called with the path of a member that replaces another one of the same key */
  constructor(tree: TreeBuilder, selection: Selection, onTwice: (path: string) => void) {
    this.#tree = tree
    this.#selection = selection
    this.#onTwice = onTwice
  }

  /** Keys with a dot within a component, which no lookup of the KVS can reach. */
  get unreachable(): number {
    return this.#unreachable
  }

  /**
   * Put a member into the tree.
   *
   * @throws {FluxError} it cannot have a key: see {@link Selection.strip}, {@link componentsOfMember} and
   *   {@link TreeBuilder.put}
   */
  put(member: Member, leaf: RestoreLeaf, size: number): void {
    const { path, extra } = member
    const name = extra === undefined ? this.#enterPath(path) : this.#enterRecord(member, leaf, size)
    if (this.#tree.putHere(name, leaf, size)) this.#onTwice(path)
    else if (this.#directoryHasDot || name.includes('.')) this.#unreachable++
  }

  /** The leaf that a hard link names by the path of its member. @throws {FluxError} `EINVAL` there is none */
  targetOf({ path, linkname }: Member): SizedLeaf {
    const target = this.#byPath.get(linkname) ?? this.#tree.find(this.#selection.strip(linkname.split('/')))
    if (target) return target
    throw new FluxError('EINVAL', `${printable(path)}: a hard link to ${printable(linkname)}, which is not restored`)
  }

  /** Enter the directory of a member whose path is its key. @returns its name there */
  #enterPath(path: string): string {
    if (this.#byPath.size > 0) this.#byPath.delete(path)
    const nameAt = path.lastIndexOf('/') + 1
    if (nameAt !== this.#directory?.length || !path.startsWith(this.#directory)) {
      this.#enter(path.split('/'))
      this.#directory = path.slice(0, nameAt)
    }
    return path.slice(nameAt)
  }

  /** Enter the directory of a member whose key may be in a record. @returns its name there */
  #enterRecord({ path, extra }: Member, leaf: RestoreLeaf, size: number): string {
    if (!hasKeyRecord(extra)) return this.#enterPath(path)
    const components = componentsOfMember(path, extra)
    this.#enter(components)
    this.#byPath.set(path, { leaf, size })
    return components.at(-1) as string
  }

  #enter(components: readonly string[]): void {
    this.#directory = undefined
    const kept = this.#selection.strip(components)
    this.#tree.enter(kept)
    this.#directoryHasDot = kept.slice(0, -1).some((component) => component.includes('.'))
  }
}
