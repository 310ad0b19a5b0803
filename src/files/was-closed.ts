import { constants, fstatSync, readFileSync, statSync } from 'node:fs'

/**
 * True when a standard descriptor was closed when the process started. Node opens /dev/null in its place, so that no
 * other file gets the descriptor. Node opens it for reading and writing, while `>/dev/null` opens it for writing only.
 *
 * A /dev/null that the caller opened both ways (`1<>/dev/null`, Python's `subprocess.DEVNULL`) looks the same.
 *
 * @param fd - 0 to 2
 * @see Node.js `src/node.cc`, `PlatformInit`
 */
export function wasClosed(fd: number): boolean {
  try {
    if (fstatSync(fd).rdev !== statSync('/dev/null').rdev) return false
    const flags = Number.parseInt(
      /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0',
      8,
    )
    return (flags & (constants.O_RDWR | constants.O_WRONLY)) === constants.O_RDWR
  } catch {
    return false
  }
}
