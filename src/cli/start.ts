import { enableCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { compileCacheDir } from './cache-dir.ts'
import { fillInMissingHome } from './missing-home.ts'

/** What has to be done before the rest of the program is loaded. */
export function start(): void {
  if (process.env.DEBUG) process.setSourceMapsEnabled(true)
  // Node.js compresses and writes files in its thread pool, which has four threads by default.
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2))
  const cacheDir = compileCacheDir()
  if (cacheDir !== undefined) enableCompileCache(cacheDir)
  fillInMissingHome()
}
