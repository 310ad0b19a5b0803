import { enableCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { keepIgnored } from '../errors/index.ts'
import { compileCacheDir } from './cache-dir.ts'
import { fillInMissingHome } from './missing-home.ts'

/**
 * What has to be done before the rest of the program is loaded.
 *
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export function start(ignored: string | undefined): void {
  if (process.env.DEBUG) process.setSourceMapsEnabled(true)
  if (ignored) keepIgnored(ignored)
  // Node.js compresses and writes files in its thread pool, which has four threads by default.
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2))
  const cacheDir = compileCacheDir()
  if (cacheDir !== undefined) enableCompileCache(cacheDir)
  fillInMissingHome()
}
