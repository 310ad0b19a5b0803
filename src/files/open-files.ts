import { readdirSync, type Stats, statSync } from 'node:fs'

/**
 * Does a process have a file open? It asks Linux's `/proc`, and answers no where that cannot be read: on other systems, and
 * for processes of other users.
 *
 * @param file - as stat(2) knows it; paths and links do not matter
 */
export function hasOpen(pid: number, file: Pick<Stats, 'dev' | 'ino'>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const open = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false })
      return open?.ino === file.ino && open.dev === file.dev
    })
  } catch {
    return false
  }
}
