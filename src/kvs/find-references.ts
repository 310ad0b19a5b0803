/** Finds the blobrefs in the blob of a directory, as digests: most directories are read from their bytes for that. */
import { blobrefHash, blobrefHex, DIGEST_BYTES, type DigestList, type HashName } from '../content/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from './dir-entries.ts'
import { PlainDir } from './plain-dir.ts'
import { refStride } from './plain-form.ts'
import { badDirref, badEntry, decodeDir } from './tree-faults.ts'
import type { DirObj, Invalid } from './treeobj.ts'

/** Where the references of directories are collected. */
export interface References {
  /** The algorithm of the store. */
  readonly hash: HashName
  /** Blobs of directories. */
  readonly dirs: DigestList
  /** Blobs of values. */
  readonly values: DigestList
}

/**
 * Add the references of a directory, and of its inline directories, to `found`.
 *
 * @param blob - the directory
 * @param blobref - of the directory, for messages
 * @throws {TreeError} `bad-treeobj`, `not-a-dir` it is not a directory, or an entry of it is not a tree object
 */
export function findReferences(blob: Uint8Array, blobref: () => string, found: References): void {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length)
  const top = PlainDir.of(bytes, found.hash) ?? new DecodedDir(decodeDir(bytes, '', blobref()), false)
  const inline: DirObj[] = []
  for (let dir: DirEntries | undefined = top; dir; dir = nextOf(inline)) {
    while (dir.next()) {
      if (dir.type === ENTRY.VALREF) addAll(dir, found.values, found.hash)
      else if (dir.type === ENTRY.DIRREF) {
        if (dir.refCount !== 1) throw badDirref(dir.name)
        addAll(dir, found.dirs, found.hash)
      } else if (dir.type === ENTRY.DIR) inline.push(dir.obj as DirObj)
      else if (dir.type === ENTRY.INVALID) throw badEntry(dir.name, dir.obj as Invalid)
    }
  }
}

function nextOf(inline: DirObj[]): DecodedDir | undefined {
  const dir = inline.pop()
  return dir && new DecodedDir(dir, false)
}

function addAll({ refs, refsAt, refCount }: DirEntries, list: DigestList, hash: HashName): void {
  if (refs instanceof Uint8Array) {
    for (let i = 0; i < refCount; i++) list.pushHex(refs, refsAt + i * refStride(hash))
    return
  }
  for (const blobref of refs) {
    // A blobref of the other algorithm cannot be in this store. Ask for a digest that no blob has.
    const hex = blobrefHash(blobref) === hash ? blobrefHex(blobref) : '0'.repeat(DIGEST_BYTES[hash] * 2)
    list.push(Buffer.from(hex, 'hex'))
  }
}
