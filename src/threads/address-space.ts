/** A limit on the address space (`ulimit -v`). V8 ends the whole process when a thread cannot have what it reserves. */
import { readFileSync } from 'node:fs'

/**
 * What must be left when a thread starts, in bytes: it takes about 150 MiB at once, of which V8 reserves 64 for machine
 * code and the C library 64 for small pieces of memory.
 */
const THREAD_BYTES = 256 << 20

const PAGE_BYTES = 4096

let limit: number | undefined

/**
 * True when another thread would not fit into the address space. Where that is not known, on other systems than Linux, it
 * is taken to fit.
 *
 * @param starting - how many threads have been started, but have not taken their part yet
 */
export function isAddressSpaceFull(starting: number): boolean {
  try {
    limit ??= Number(/^Max address space\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity)
    if (limit === Infinity) return false
    const taken = Number.parseInt(readFileSync('/proc/self/statm', 'latin1'), 10) * PAGE_BYTES
    return taken + (starting + 1) * THREAD_BYTES > limit
  } catch {
    return false
  }
}
