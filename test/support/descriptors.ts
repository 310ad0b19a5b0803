import { readdirSync, readlinkSync } from 'node:fs'

/** The descriptor of this process for a file in a directory, also for one without a name. */
export function descriptorIn(dir: string): number {
  const found = readdirSync('/proc/self/fd').find((fd) => targetOf(fd).startsWith(`${dir}/`))
  if (found === undefined) throw new Error(`no file in ${dir} is open`)
  return Number(found)
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // The one with which the descriptors were listed.
    return ''
  }
}
