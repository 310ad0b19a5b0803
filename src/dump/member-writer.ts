import type { ArchiveWriter, ExtraRecords } from '../archive/index.ts'
import { printable } from '../errors/index.ts'
import { COMPONENTS_RECORD, type Entry, keyOf, LINKNAME_RECORD, linkText, type TreeHash } from '../kvs/index.ts'
import { MemberPaths } from './member-path.ts'
import type { DumpProgress } from './progress.ts'

/** Where a {@link MemberWriter} tells what it does. */
export interface MemberWriterOptions {
  /** Computes the root that a restore of the archive makes, if it is wanted. */
  tree: TreeHash | undefined
  progress: DumpProgress
  onMembers: ((paths: readonly string[]) => void) | undefined
  onWarning: ((message: string, kind: string) => void) | undefined
}

/** Writes entries of a tree as members of an archive. */
export class MemberWriter {
  readonly #archive: ArchiveWriter
  readonly #options: MemberWriterOptions
  readonly #paths = new MemberPaths()

  constructor(archive: ArchiveWriter, options: MemberWriterOptions) {
    this.#archive = archive
    this.#options = options
  }

  /** Write a batch of entries, and count them. */
  async write(batch: readonly Entry[]): Promise<void> {
    const { tree, progress, onMembers } = this.#options
    const archive = this.#archive
    const members: string[] | undefined = onMembers && []
    for (const entry of batch) {
      const { path, components } = this.#paths.of(entry.dir, entry.name)
      let extra: ExtraRecords | undefined
      if (components !== undefined) extra = this.#encodedKey(entry, path, components)
      if (entry.type === 'symlink') {
        const target = linkText(entry)
        // Flux cannot store a NUL, and no archive can hold one in a link target.
        if (target.includes('\0')) extra = { ...extra, [LINKNAME_RECORD]: JSON.stringify(target) }
        archive.symlink(path, target.replaceAll('\0', '%00'), extra)
        tree?.link(entry)
        progress.symlinks++
      } else {
        if (entry.parts !== undefined) {
          archive.file(path, entry.size, entry.parts, extra)
          tree?.value(entry)
        } else if (entry.stream) {
          const bytes = entry.stream()
          await archive.streamFile(path, entry.size, tree?.stream(entry, bytes) ?? bytes, extra)
        }
        progress.blobs += entry.blobs
        progress.bytes += entry.size
      }
      progress.keys++
      members?.push(path)
    }
    if (members) onMembers?.(members)
    await archive.flush()
  }

  #encodedKey(entry: Entry, path: string, components: readonly string[]): ExtraRecords {
    this.#options.progress.encoded++
    this.#options.onWarning?.(
      `${printable(keyOf(entry.dir, entry.name))}: no path can hold this key; archived as ${printable(path)}`,
      'encoded path',
    )
    return { [COMPONENTS_RECORD]: JSON.stringify(components) }
  }
}
