import { blobrefHash } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { archiveInfo } from './archive-info.ts'

const FAULTY = 'the disk or the memory may be faulty'

/**
 * Read an archive that has been written as a restore would, and compare its root with the one that was computed.
 *
 * @param outfile - the name that the archive will have, for messages
 * @param path - where it is now
 * @param rootref - the root that a restore must give; undefined when none could be computed
 * @throws {FluxError} `EBADMSG` the archive does not give this root; `ENOTSUP` there is none
 */
export async function verifyWritten(
  outfile: string,
  path: string,
  rootref: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (rootref === undefined) {
    throw new FluxError('ENOTSUP', `${outfile}: cannot be verified: a key or the target of a link is not Unicode text`)
  }
  const hash = blobrefHash(rootref)
  const found = await archiveInfo(path, { hash, signal }).catch((error: FluxError) => {
    if (error.code !== 'EBADMSG') throw error
    const what = `what was written cannot be read back: ${error.message}`
    throw new FluxError('EBADMSG', `${outfile}: ${what}`, { cause: error, hint: FAULTY })
  })
  if (found.rootref === rootref) return
  const what = `what was written does not hold what was read: it gives ${found.rootref} instead of ${rootref}`
  throw new FluxError('EBADMSG', `${outfile}: ${what}`, { hint: FAULTY })
}
