/** Archives of trees, by our writers. */
import {
  ARCHIVE_EXTENSIONS,
  archiveTypeOf,
  type CreateArchiveOptions,
  createArchive,
  type ExtraRecords,
} from '../../src/archive/index.ts'
import type { Tree } from './archives.ts'

export const ATTRIBUTES = { mode: 0o644, uid: 1000, gid: 100, mtimeSeconds: 1_700_000_000 }

/** An extension of every type of archive that is written: of `.tgz` and `.tar.gz`, one. */
export const WRITTEN = ARCHIVE_EXTENSIONS.filter((extension, i, all) => {
  const { format, filter } = archiveTypeOf(`x${extension}`)
  const isSame = (other: string) => JSON.stringify(archiveTypeOf(`x${other}`)) === JSON.stringify({ format, filter })
  return all.findIndex(isSame) === i
})

export async function writeTree(
  path: string,
  tree: Tree,
  options: Partial<CreateArchiveOptions> = {},
  extra: Readonly<Record<string, ExtraRecords>> = {},
): Promise<void> {
  await using archive = await createArchive(path, { attributes: ATTRIBUTES, ...options })
  for (const [path, what] of Object.entries(tree)) {
    // A path may be `constructor`.
    const records = Object.hasOwn(extra, path) ? extra[path] : undefined
    if (typeof what === 'object' && 'to' in what) archive.symlink(path, what.to, records)
    else {
      const content = Buffer.from(what)
      // Both ways, and in parts.
      const parts = [content.subarray(0, 7), content.subarray(7)]
      if (content.length > 200_000 || content.length === 333)
        await archive.streamFile(
          path,
          content.length,
          (async function* () {
            yield parts
          })(),
          records,
        )
      else archive.file(path, content.length, parts, records)
    }
    await archive.flush()
  }
  await archive.finish()
}
