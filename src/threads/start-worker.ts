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
  return new Worker(moduleBeside(file, base), { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] })
}
