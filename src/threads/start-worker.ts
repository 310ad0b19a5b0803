import { Worker } from 'node:worker_threads'

/**
 * A neighbour of a module, as source or built.
 *
 * @param file - without its extension: `./thread`
 * @param base - the `import.meta.url` of the module
 */
export function moduleBeside(file: string, base: string): URL {
  return new URL(file + (base.endsWith('.ts') ? '.ts' : '.js'), base)
}

/** Start a thread. @param file - the module that runs in it, as for {@link moduleBeside} */
export function startWorker(file: string, base: string, workerData: unknown): Worker {
  // Node 22 calls node:sqlite experimental, on stderr. Flags of this process are not for a thread.
  return new Worker(moduleBeside(file, base), { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] })
}
