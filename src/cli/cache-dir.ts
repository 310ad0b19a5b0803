/**
 * The directory for what is kept between runs: compiled code, and archives. Node.js runs the code that it finds there:
 * it checks a length and a checksum, but no signature. Anybody who can write to that directory can run code as the user.
 * So there is a cache only if no other user can write to its directory, or replace it. `bin/run.js` asks for the
 * directory before anything else.
 */
import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'

const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/**
 * The directory for the compile cache: that of {@link userCacheDir}.
 *
 * @returns undefined also when `NODE_DISABLE_COMPILE_CACHE` is set, and when `NODE_COMPILE_CACHE` is set: then Node.js
 *   uses that directory by itself
 */
export function compileCacheDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = env
  return NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE ? undefined : userCacheDir(env)
}

/** The directory for archives: `archives` in {@link userCacheDir}. @returns undefined when it is not safe */
export function archiveCacheDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const parent = userCacheDir(env)
  try {
    return parent && ownDir(join(parent, 'archives'))
  } catch {
    return undefined
  }
}

/**
 * `$XDG_CACHE_HOME/flux-ts`, else `~/.cache/flux-ts`. It is created if missing.
 *
 * @returns undefined when no directory is safe
 */
function userCacheDir(env: NodeJS.ProcessEnv): string | undefined {
  const uid = process.geteuid?.()
  const base = cacheHome(env)
  if (uid === undefined || base === undefined) return undefined
  try {
    // Never create the home directory itself.
    const parent = realpathSync(dirname(base))
    if (!isSafePath(parent, uid)) return undefined
    makeDir(base)
    const home = realpathSync(base)
    // The sticky bit is good enough for the directories above, but the cache must not lie in a shared directory itself.
    if (!isSafePath(home, uid) || isWritableByOthers(lstatSync(home))) return undefined
    return ownDir(join(home, 'flux-ts'))
  } catch {
    // Without a cache the start takes some 30 ms longer, and is otherwise the same.
    return undefined
  }
}

/** @returns the path; undefined for a link, or a directory that is not ours or to which others can write */
function ownDir(path: string): string | undefined {
  makeDir(path)
  const stats = lstatSync(path)
  return stats.isDirectory() && stats.uid === process.geteuid?.() && !isWritableByOthers(stats) ? path : undefined
}

/** @see XDG Base Directory Specification: a relative `XDG_CACHE_HOME` must be ignored */
function cacheHome({ XDG_CACHE_HOME = '', HOME = '' }: NodeJS.ProcessEnv): string | undefined {
  if (isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME
  return isAbsolute(HOME) ? join(HOME, '.cache') : undefined
}

/** True when only the user and root can replace `path` or a directory above it. */
function isSafePath(path: string, uid: number): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!isSafeAbove(lstatSync(at), uid)) return false
    if (at === dirname(at)) return true
  }
}

/** In a directory with the sticky bit, users can rename and remove only their own files. */
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
