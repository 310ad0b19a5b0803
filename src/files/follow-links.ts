/**
 * Where a name leads that is to be written. A file that gets its name by rename is never opened by that name, so the
 * kernel does not judge what it judges in open(2) of a new or existing file; this does, whatever the system is set to.
 *
 * @see https://docs.kernel.org/admin-guide/sysctl/fs.html, protected_symlinks, protected_regular, protected_fifos;
 *   Linux `fs/namei.c` `may_follow_link`, `may_create_in_sticky`
 */
import type { Stats } from 'node:fs'
import { lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { FluxError } from '../errors/index.ts'

/** As many links as Linux follows. */
const MOST_LINKS = 40

const STICKY = 0o1000
const OTHERS_WRITE = 0o002

/** What is at the end of all links. */
export interface LinkEnd {
  readonly path: string
  /** Of what is there; undefined when nothing is. */
  readonly stats: Stats | undefined
}

/**
 * Follow the symbolic links that a name ends in, also where they lead to nothing yet.
 *
 * @throws {FluxError} `EACCES` for a link, file or pipe of another user in a sticky directory that everybody may write to,
 *   such as /tmp; `ELOOP`
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function followLinks(path: string): Promise<LinkEnd> {
  let at = path
  for (let links = 0; links <= MOST_LINKS; links++) {
    // All but the last component: the kernel follows these links whoever owns them.
    const dir = await realpath(dirname(resolve(at)))
    const stats = await lstat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return undefined
    })
    if (stats === undefined) return { path: at, stats }
    if (!stats.isSymbolicLink()) {
      if (stats.isFile() || stats.isFIFO()) await assertTrusted(path, at, stats, dir, false)
      return { path: at, stats }
    }
    await assertTrusted(path, at, stats, dir, true)
    at = resolve(dir, await readlink(at))
  }
  throw new FluxError('ELOOP', `cannot write ${path}: Too many levels of symbolic links`)
}

async function assertTrusted(path: string, at: string, stats: Stats, dir: string, isLink: boolean): Promise<void> {
  const { mode, uid } = await stat(dir)
  if ((mode & STICKY) === 0 || (mode & OTHERS_WRITE) === 0) return
  if (stats.uid === uid || stats.uid === process.geteuid?.()) return
  const what = isLink ? 'a symbolic link' : stats.isFIFO() ? 'a pipe' : 'a file'
  const where = at === path ? '' : `${join(dir, basename(at))} is `
  throw new FluxError(
    'EACCES',
    `cannot write ${path}: ${where}${what} of another user in ${dir}, where everybody may write`,
    {
      hint: 'write to a directory of your own',
    },
  )
}
