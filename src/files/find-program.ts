import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * Find a program in the directories of PATH. Relative directories are left out: whoever can write to the current
 * directory could put a program of that name there.
 *
 * @param name - without a directory
 * @param path - directories, as PATH has them (default: PATH)
 * @returns the path of the program; undefined when it is in no directory
 */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  for (const dir of path.split(delimiter).filter(isAbsolute)) {
    const program = join(dir, name)
    try {
      accessSync(program, constants.X_OK)
      if (statSync(program).isFile()) return program
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}
