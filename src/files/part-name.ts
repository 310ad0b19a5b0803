/** Names of files that are not complete: `.NAME.PROCESS-RANDOM.part`, beside what they will be. */
import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isOver, processId } from './process-id.ts'

/** Of the final name, this much is kept: with the rest it stays within the 255 bytes of a name. */
const NAME_BYTES = 160

const RANDOM = /^[0-9a-f]{12}$/

/** A new name for what will be `final`. */
export function partName(final: string): string {
  const tail = [processId(), randomBytes(6).toString('hex')].filter((part) => part !== undefined).join('-')
  return join(dirname(final), `${prefixOf(final)}${tail}.part`)
}

/**
 * Remove what processes that were killed have left of `final`: regular files and directories of ours with a
 * {@link partName} whose process has ended. Whatever is in doubt stays. Never throws.
 */
export function removeLeftovers(final: string): void {
  const dir = dirname(final)
  const prefix = prefixOf(final)
  try {
    for (const name of readdirSync(dir)) {
      if (name.startsWith(prefix) && isLeft(name.slice(prefix.length))) removeOurs(join(dir, name))
    }
  } catch {
    // A directory that may be written to, but not read.
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
    // Somebody else was faster, or it may not be removed.
  }
}

/** True when others could have given a directory of ours this name: they could not empty it, and must not make us. */
function mayBeMoved(dir: string): boolean {
  const { mode } = statSync(dir)
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0
}

function prefixOf(final: string): string {
  const name = Buffer.from(basename(final))
  if (name.length <= NAME_BYTES) return `.${basename(final)}.`
  let end = NAME_BYTES
  // Not within a character.
  while (((name[end] ?? 0) & 0xc0) === 0x80) end--
  return `.${name.subarray(0, end)}.`
}
