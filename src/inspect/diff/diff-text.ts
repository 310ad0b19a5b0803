import { isUtf8 } from 'node:buffer'
import type { ContentStore } from '../../content/index.ts'
import { printable } from '../../errors/index.ts'
import { decodeVal, linkText, type SnapshotRoot, streamValue } from '../../kvs/index.ts'
import type { Change, KeyContent } from './change.ts'

/** Larger values are not shown line by line. */
const LIMIT_BYTES = 4 << 20

/** The most lines that may differ. The time to compare grows with the square of this number. */
const MAX_EDITS = 10_000

/**
 * A change as a unified diff, with three lines of context.
 *
 * @param a - the snapshot before the change
 * @param b - the snapshot after it
 * @returns lines, each ending in a newline. For values that are binary, larger than 4 MiB, or that differ in too many
 *   lines, one line says that they differ.
 * @throws {TreeError} a value cannot be read
 */
export async function changeText(a: SnapshotRoot, b: SnapshotRoot, change: Change): Promise<string> {
  const { key, before, after } = change
  const nameA = before ? `a/${printable(key)}` : '/dev/null'
  const nameB = after ? `b/${printable(key)}` : '/dev/null'
  const [textA, textB] = await Promise.all([textOf(a.store, key, before), textOf(b.store, key, after)])
  for (const text of [textA, textB]) {
    if (typeof text !== 'string') return `${text.what} ${nameA} and ${nameB} differ\n`
  }
  const tooMany = `Values ${nameA} and ${nameB} differ in more than ${MAX_EDITS} lines\n`
  if (linesOfOne(textA as string, textB as string) > MAX_EDITS) return tooMany
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff')
  const patch = createTwoFilesPatch(nameA, nameB, textA as string, textB as string, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return patch ?? tooMany
}

/** Number of lines that only one of two texts has: a lower bound of the lines that differ, and quick to count. */
function linesOfOne(a: string, b: string): number {
  const surplus = new Map<string, number>()
  for (const line of a.split('\n')) surplus.set(line, (surplus.get(line) ?? 0) + 1)
  for (const line of b.split('\n')) surplus.set(line, (surplus.get(line) ?? 0) - 1)
  let lines = 0
  for (const count of surplus.values()) lines += Math.abs(count)
  return lines
}

async function textOf(
  store: ContentStore,
  key: string,
  held: KeyContent | undefined,
): Promise<string | { what: string }> {
  if (held === undefined) return ''
  if (held.type === 'symlink') {
    return `-> ${linkText(held)}\n`
  }
  if (held.size > LIMIT_BYTES) return { what: 'Large values' }
  const parts: Uint8Array[] = []
  if (held.obj.type === 'val') parts.push(decodeVal(held.obj))
  else for await (const more of streamValue(store, key, held.obj.data)) parts.push(...more)
  const bytes = Buffer.concat(parts)
  return bytes.includes(0) || !isUtf8(bytes) ? { what: 'Binary values' } : bytes.toString()
}
