/**
 * Find where an output path leads, and refuse it where another user could have redirected it. A file that gets its name
 * by rename is never opened by that name, so the kernel's checks in open(2) do not apply. This module makes the same
 * checks, whatever the system's settings are.
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

/**
 * Where Linux lists the open descriptors of a process; /dev/stdout and /dev/fd lead there. The link of a pipe without a
 * name, as of a shell's `>(command)`, can be opened, but what it seems to lead to is no path.
 */
const DESCRIPTORS = /^\/proc\/\d+(?:\/task\/\d+)?\/fd$/

/** The end of a chain of links. */
export interface LinkEnd {
  readonly path: string
  /** The stats of what is there; undefined when nothing is. */
  readonly stats: Stats | undefined
}

/**
 * Follow the symbolic links at the end of a path. The last one may lead to a file that does not exist yet.
 *
 * @throws {FluxError} `EACCES` a link, file, directory or pipe belongs to another user and is in a sticky directory where
 *   everybody may write, such as /tmp; `ELOOP` too many links
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function followLinks(path: string): Promise<LinkEnd> {
  let at = path
  for (let links = 0; links <= MOST_LINKS; links++) {
    // Resolve all but the last component. The kernel follows these links whoever owns them.
    const dir = await realpath(dirname(resolve(at)))
    const stats = await lstat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return undefined
    })
    if (stats === undefined) return { path: at, stats }
    if (!stats.isSymbolicLink()) {
      if (stats.isFile() || stats.isFIFO() || stats.isDirectory()) await assertTrusted(path, at, stats, dir, false)
      return { path: at, stats }
    }
    await assertTrusted(path, at, stats, dir, true)
    if (DESCRIPTORS.test(dir)) {
      const open = await stat(at)
      if (!open.isFile() && !open.isDirectory()) return { path: at, stats: open }
    }
    at = resolve(dir, await readlink(at))
  }
  throw new FluxError('ELOOP', `cannot write ${path}: Too many levels of symbolic links`, {
    hint: 'remove the link, which leads to itself',
  })
}

async function assertTrusted(path: string, at: string, stats: Stats, dir: string, isLink: boolean): Promise<void> {
  const { mode, uid } = await stat(dir)
  if ((mode & STICKY) === 0 || (mode & OTHERS_WRITE) === 0) return
  if (stats.uid === uid || stats.uid === process.geteuid?.()) return
  const what = isLink ? 'a symbolic link' : stats.isFIFO() ? 'a pipe' : stats.isDirectory() ? 'a directory' : 'a file'
  const where = at === path ? '' : `${join(dir, basename(at))} is `
  throw new FluxError(
    'EACCES',
    `cannot write ${path}: ${where}${what} of another user in ${dir}, where everybody may write`,
    {
      hint: 'write to a directory of your own',
    },
  )
}
