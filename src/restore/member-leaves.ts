import type { Member } from '../archive/index.ts'
import { INLINE_BYTES, symlinkText, valrefText, valText } from '../kvs/index.ts'
import { targetOfMember } from './member-key.ts'
import type { RestoreLeaf } from './open-dir.ts'
import type { ValueStore } from './value-store.ts'

/** Makes the leaves of members, and stores their values. */
export class MemberLeaves {
  readonly #values: ValueStore
  readonly #isPlainFile: boolean

  /** @param isPlainFile - true when an offset in the archive is one in the file */
  constructor(values: ValueStore, isPlainFile: boolean) {
    this.#values = values
    this.#isPlainFile = isPlainFile
  }

  /** Store the values of a batch for which {@link isOneBlob} is true. @returns their blobrefs, in order */
  async storeBlobs(members: readonly Member[]): Promise<string[]> {
    const values: Uint8Array[] = []
    const offsets: (number | undefined)[] = []
    for (const member of members) {
      if (!isOneBlob(member)) continue
      values.push(member.data as Uint8Array)
      offsets.push(member.contentOffset)
    }
    if (values.length === 0) return []
    return this.#values.store(values, false, this.#isPlainFile ? offsets : undefined)
  }

  /** The leaf of a symlink, or of a value for which {@link isOneBlob} is false. */
  async leafOf(member: Member): Promise<RestoreLeaf> {
    const { path, type, linkname, extra, data } = member
    if (type === 'symlink') {
      const { target, namespace } = targetOfMember(path, linkname, extra)
      return symlinkText(target, namespace)
    }
    if (data !== undefined) return valText(data)
    const blobrefs = await this.#values.storeLarge(member, this.#isPlainFile)
    return blobrefs.length === 1 ? (blobrefs[0] as string) : valrefText(blobrefs)
  }
}

/** True for a value that was read whole and is too large to be stored inline. */
export function isOneBlob({ type, data, size }: Member): boolean {
  return type === 'file' && data !== undefined && size >= INLINE_BYTES
}
