import { constants, fstatSync, readFileSync, statSync } from 'node:fs'

/**
 * True when a standard descriptor was closed as the process was started. Node opens /dev/null in its place, or a write
 * would go to some other file; but it opens it for reading too, as nobody does who only wants to throw output away.
 *
 * Who has done just that by hand (`1<>/dev/null`, or Python's `subprocess.DEVNULL`) cannot be told from it.
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
