/** How a path lies in the fields of a header. */
import { NAME, PREFIX } from './layout.ts'

export function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Cut a UTF-8 text to at most `max` bytes, at a character border. */
export function cut(bytes: Buffer, max: number): Buffer {
  if (bytes.length <= max) return bytes
  let end = max
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

/**
 * Where ustar splits an ASCII path into prefix and name.
 *
 * @returns index of the slash to split at; 0 when the name field holds the whole path; -1 when ustar cannot hold it
 */
export function splitsAt(path: string): number {
  if (path.length <= NAME[1]) return 0
  // The name must not be empty. The prefix is as short as possible, as in libarchive.
  const slash = path.indexOf('/', path.length - NAME[1] - 1)
  return slash > 0 && slash <= PREFIX[1] && slash < path.length - 1 ? slash : -1
}

/**
 * `DIR/PaxHeader/BASENAME`, cut to fit the name field. A reader without pax support extracts the header under this
 * name.
 */
export function paxHeaderName(path: string): string {
  const ascii = path.replace(/[^ -~]/g, '_')
  const slash = ascii.lastIndexOf('/')
  const base = ascii.slice(slash + 1)
  const room = NAME[1] - '/PaxHeader/'.length
  const dir = slash < 0 ? '' : ascii.slice(0, Math.min(slash, Math.max(0, room - Math.min(base.length, room))))
  return `${dir === '' ? '' : `${dir}/`}PaxHeader/${base.slice(0, room - dir.length)}`
}
