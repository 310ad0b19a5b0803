/** Names of incomplete files: `.NAME.PROCESS-RANDOM.part`, in the directory of the final name. */
import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isOver, processId } from './process-id.ts'

/** How many bytes of the final name are kept, so that the whole name stays within the 255 bytes of a file name. */
const NAME_BYTES = 160

const RANDOM = /^[0-9a-f]{12}$/

/** A new path for an incomplete file. @param final - the path it will get */
export function partName(final: string): string {
  const tail = [processId(), randomBytes(6).toString('hex')].filter((part) => part !== undefined).join('-')
  return join(dirname(final), `${prefixOf(final)}${tail}.part`)
}

/**
 * Remove what killed processes left for `final`: our regular files and directories with a {@link partName} whose
 * process has ended. In doubt, a file stays. Never throws.
 */
export function removeLeftovers(final: string): void {
  const dir = dirname(final)
  const prefix = prefixOf(final)
  try {
    for (const name of readdirSync(dir)) {
      if (name.startsWith(prefix) && isLeft(name.slice(prefix.length))) removeOurs(join(dir, name))
    }
  } catch {
    // We may write to the directory, but not list it.
  }
}

/**
 * Remove what a thread of this process left for `final` when it died. Nothing else in the process may be writing it. Never
 * throws.
 */
export function removeOwnLeftovers(final: string): void {
  const dir = dirname(final)
  const prefix = `${prefixOf(final)}${processId()}-`
  try {
    for (const name of readdirSync(dir)) {
      const tail = name.startsWith(prefix) ? name.slice(prefix.length) : ''
      if (tail.endsWith('.part') && RANDOM.test(tail.slice(0, -'.part'.length))) removeOurs(join(dir, name))
    }
  } catch {
    // We may write to the directory, but not list it.
  }
}

function isLeft(tail: string): boolean {
  if (!tail.endsWith('.part')) return false
  const at = tail.lastIndexOf('-')
  return at > 0 && RANDOM.test(tail.slice(at + 1, -'.part'.length)) && isOver(tail.slice(0, at))
}

function removeOurs(path: string): void {
  try {
    const found = lstatSync(path)
    if (found.uid !== process.geteuid?.()) return
    if (found.isFile()) unlinkSync(path)
    else if (found.isDirectory() && !mayBeMoved(dirname(path))) rmSync(path, { recursive: true, maxRetries: 3 })
  } catch {
    // Another process removed it first, or we may not remove it.
  }
}

/**
 * True when other users can rename in a directory. They could give any directory of ours this name, to make us empty it
 * for them.
 */
function mayBeMoved(dir: string): boolean {
  const { mode } = statSync(dir)
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0
}

function prefixOf(final: string): string {
  const name = Buffer.from(basename(final))
  if (name.length <= NAME_BYTES) return `.${basename(final)}.`
  let end = NAME_BYTES
  // Do not cut within a UTF-8 character.
  while (((name[end] ?? 0) & 0xc0) === 0x80) end--
  return `.${name.subarray(0, end)}.`
}
