/**
 * Where Node.js may keep compiled code between runs. Node.js runs what it finds there: it checks a length and a
 * checksum, but no signature. Whoever can write to that directory can run code as the user. So the cache lies in a
 * directory that nobody else can write to or replace, or nowhere. `bin/run.js` asks, before anything else is loaded.
 */
import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'

const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/**
 * The directory for the compile cache: `$XDG_CACHE_HOME/flux-ts`, else `~/.cache/flux-ts`. It is made when it is missing.
 *
 * @returns undefined when there is none that is safe, when `NODE_DISABLE_COMPILE_CACHE` is set, and when
 *   `NODE_COMPILE_CACHE` is: Node.js has seen to that one by itself
 */
export function compileCacheDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = env
  const uid = process.geteuid?.()
  if (uid === undefined || NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE) return undefined
  const base = cacheHome(env)
  if (base === undefined) return undefined
  try {
    // The home directory itself is never made: whoever has none gets none by this.
    const parent = realpathSync(dirname(base))
    if (!isSafePath(parent, uid)) return undefined
    makeDir(base)
    const home = realpathSync(base)
    // A shared temporary directory is no place for it, though the sticky bit would do for what lies above.
    if (!isSafePath(home, uid) || isWritableByOthers(lstatSync(home))) return undefined
    const dir = join(home, 'flux-ts')
    makeDir(dir)
    const stats = lstatSync(dir)
    return stats.isDirectory() && stats.uid === uid && !isWritableByOthers(stats) ? dir : undefined
  } catch {
    // A start without a cache is slower by some 30 ms, and otherwise the same.
    return undefined
  }
}

/** @see XDG Base Directory Specification: a relative `XDG_CACHE_HOME` is to be ignored */
function cacheHome({ XDG_CACHE_HOME = '', HOME = '' }: NodeJS.ProcessEnv): string | undefined {
  if (isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME
  return isAbsolute(HOME) ? join(HOME, '.cache') : undefined
}

/** True when nobody but the user and root can put something else in the place of `path`, or of a directory above it. */
function isSafePath(path: string, uid: number): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!isSafeAbove(lstatSync(at), uid)) return false
    if (at === dirname(at)) return true
  }
}

/** In a directory with the sticky bit others can neither rename nor remove what is not theirs. */
function isSafeAbove(stats: Stats, uid: number): boolean {
  return (stats.uid === uid || stats.uid === 0) && (!isWritableByOthers(stats) || (stats.mode & STICKY) !== 0)
}

function isWritableByOthers({ mode }: Stats): boolean {
  return (mode & OTHERS_WRITE) !== 0
}

function makeDir(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
