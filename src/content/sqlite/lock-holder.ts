import { readFileSync, type Stats, statSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'
import { hasOpen } from '../../files/index.ts'

/** A process that holds a database. */
export interface LockHolder {
  /** 0 when it is in another container and its pid is not visible. */
  pid: number
  /** Its name, or empty when it cannot be read. */
  command: string
}

/**
 * Find out whether a process has a database locked, without touching the database: opening it, even to read,
 * would make SQLite leave `-shm` and `-wal` files beside it.
 *
 * The content-sqlite module keeps a write lock on the file, or on its `-shm` in WAL mode, as long as it is loaded. A
 * read lock is another reader's and does no harm. Linux only: elsewhere the answer is always undefined.
 *
 * @see proc_locks(5)
 */
export function lockHolder(database: string): LockHolder | undefined {
  let locks: string
  try {
    locks = readFileSync('/proc/locks', 'utf8')
  } catch {
    return undefined
  }
  const files = [database, `${database}-shm`].map((path) => statSync(path, { throwIfNoEntry: false }))
  for (const line of locks.split('\n')) {
    // "4: POSIX  ADVISORY  WRITE 1812 fe:01:9187332 1073741826 1073742335"; a waiting one has "->" after the number.
    const match = /(?:POSIX|OFDLCK)\s+\S+\s+WRITE\s+(-?\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/.exec(line)
    if (!match || line.includes('->')) continue
    const [, pidText, major, minor, inode] = match as unknown as [string, string, string, string, string]
    const file = files.find((stats) => stats?.ino === Number(inode))
    const pid = Math.max(0, Number(pidText))
    if (!file || pid === process.pid) continue
    // Btrfs and overlay file systems show another device in /proc/locks than stat(2) does.
    if (sameDevice(file, Number.parseInt(major, 16), Number.parseInt(minor, 16)) || hasOpen(pid, file)) {
      return { pid, command: commandOf(pid) }
    }
  }
  return undefined
}

/** @throws {FluxError} `EBUSY` a process holds the database: see {@link lockHolder} */
export function assertNotHeld(database: string, name: string, hint: string): void {
  const holder = lockHolder(database)
  if (holder === undefined) return
  const { pid, command } = holder
  const who = pid > 0 ? `process ${pid}${command && ` (${command})`}` : 'another process'
  throw new FluxError('EBUSY', `${name}: held by ${who}`, { hint })
}

/** Compare a device as stat(2) gives it with its two numbers (see makedev(3)). */
function sameDevice({ dev }: Stats, major: number, minor: number): boolean {
  const high = Math.floor(dev / 0x1_0000_0000)
  const low = dev >>> 0
  return (((low >>> 8) & 0xfff) | (high & ~0xfff)) === major && ((low & 0xff) | ((low >>> 12) & ~0xff)) === minor
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
