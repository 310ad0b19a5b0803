import { stat } from 'node:fs/promises'
import { openArchive } from '../archive/index.ts'
import { blobrefHash, type HashName } from '../content/index.ts'
import { originOf } from '../kvs/index.ts'

/**
 * The hash algorithm of the root that an archive was made of, if the archive is a file and says so before its members; else sha1.
 */
export async function recordedHash(path: string): Promise<HashName> {
  try {
    if (path === '-' || !(await stat(path)).isFile()) return 'sha1'
    await using reader = await openArchive(path)
    for await (const _ of reader.batches()) break
    const origin = originOf(reader.records)
    return origin === undefined ? 'sha1' : blobrefHash(origin.rootref)
  } catch {
    // Whoever reads the archive reports what is wrong with it.
    return 'sha1'
  }
}
