import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * The URL of another module beside a module, `.ts` in the sources and `.js` in the build.
 *
 * @param file - its path without the extension: `./thread`
 * @param base - the `import.meta.url` of the module
 */
export function moduleBeside(file: string, base: string): URL {
  return new URL(file + (base.endsWith('.ts') ? '.ts' : '.js'), base)
}

/** Start a thread. @param file - the module to run, as for {@link moduleBeside} */
export function startWorker(file: string, base: string, workerData: unknown): Worker {
  // Node 22 warns on stderr that node:sqlite is experimental. The flags of this process must not reach the thread.
  const execArgv = ['--disable-warning=ExperimentalWarning']
  return new Worker(moduleBeside(file, base), { workerData, execArgv, env: environment() })
}

/** A copy of the environment in which a thread keeps compiled code where this one does. */
function environment(): NodeJS.ProcessEnv {
  const dir = getCompileCacheDir()
  // Node.js adds a directory for its version.
  return dir === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(dir) }
}
