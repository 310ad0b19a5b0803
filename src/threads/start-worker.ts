import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isAddressSpaceFull } from './address-space.ts'

/**
 * The URL of another module beside a module, `.ts` in the sources and `.js` in the build.
 *
 * @param file - its path without the extension: `./thread`
 * @param base - the `import.meta.url` of the module
 */
export function moduleBeside(file: string, base: string): URL {
  return new URL(file + (base.endsWith('.ts') ? '.ts' : '.js'), base)
}

/**
 * Address space that V8 reserves for the machine code of a thread, in MiB. By default it is 512, and a thread that cannot
 * have that ends the whole process where `ulimit -v` is set. Our threads need less than ten.
 */
const CODE_MIB = 64

/** Threads that have been started, but do not run yet. */
const starting = new Set<Worker>()

/**
 * Start a thread.
 *
 * @param file - the module to run, as for {@link moduleBeside}
 * @throws {NodeJS.ErrnoException} `ENOMEM` a limit on the address space leaves no room for it
 */
export function startWorker(file: string, base: string, workerData: unknown): Worker {
  // Node 22 warns on stderr that node:sqlite is experimental. The flags of this process must not reach the thread.
  const execArgv = ['--disable-warning=ExperimentalWarning']
  const resourceLimits = { codeRangeSizeMb: CODE_MIB }
  if (isAddressSpaceFull(starting.size)) {
    throw Object.assign(new Error('ENOMEM: no address space is left for a thread'), { code: 'ENOMEM' })
  }
  const worker = new Worker(moduleBeside(file, base), { workerData, execArgv, resourceLimits, env: environment() })
  starting.add(worker)
  for (const event of ['online', 'exit'] as const) worker.once(event, () => starting.delete(worker))
  return worker
}

/** A copy of the environment in which a thread keeps compiled code where this one does. */
function environment(): NodeJS.ProcessEnv {
  const dir = getCompileCacheDir()
  // Node.js adds a directory for its version.
  return dir === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(dir) }
}
