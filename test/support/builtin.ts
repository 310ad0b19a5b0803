import { syncBuiltinESMExports } from 'node:module'

/**
 * Work while some functions of a module of Node.js are others: for errors that no file system of this machine gives.
 *
 * @param module - its default export
 */
export async function withBuiltin<M extends object, T>(
  module: M,
  changes: Partial<M>,
  work: () => T | Promise<T>,
): Promise<T> {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, module[name as keyof M]]))
  Object.assign(module, changes)
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    Object.assign(module, before)
    syncBuiltinESMExports()
  }
}

/** An error as `node:fs` throws it. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made to fail`), { code })
}
