import { isDir, type TreeObj } from '../../kvs/index.ts'

/**
 * A value as `flux kvs get` prints it: up to its first NUL, where a C string ends, followed by a newline unless the
 * value is empty.
 *
 * @param raw - all bytes of the value, without a newline
 */
export async function* printedValue(
  parts: AsyncIterable<readonly Uint8Array[]>,
  raw: boolean,
): AsyncGenerator<Uint8Array, void, void> {
  let any = false
  let ended = false
  for await (const batch of parts) {
    for (const part of batch) {
      any ||= part.length > 0
      const end = raw ? -1 : part.indexOf(0)
      yield end === -1 ? part : part.subarray(0, end)
      ended = end !== -1
      if (ended) break
    }
    if (ended) break
  }
  if (any && !raw) yield NEWLINE
}

const NEWLINE = Buffer.from('\n')

/** A value as `--json` prints it: its text if it is UTF-8, otherwise base64. */
export function valueJson(bytes: Uint8Array): { size: number; value: string } | { size: number; base64: string } {
  const size = bytes.length
  try {
    return { size, value: decoder.decode(bytes) }
  } catch {
    return { size, base64: Buffer.from(bytes.buffer, bytes.byteOffset, size).toString('base64') }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * `key = value` in at most `width` bytes, as `flux kvs dir` prints it: only the first line of the value, and `...` if
 * anything is left out.
 *
 * @param start - the first `width` bytes of the value at least, or all of it
 * @param width - 3 or less is unlimited: then all of `start` is printed up to its first NUL
 */
export function keyValueLine(key: string, start: Uint8Array, width: number): string {
  const nul = start.indexOf(0)
  let line = Buffer.concat([Buffer.from(`${key} = `), nul === -1 ? start : start.subarray(0, nul)])
  let isCut = false
  if (width > 3) {
    if (line.length > width - 3) {
      line = line.subarray(0, characterStart(line, width - 3))
      isCut = true
    }
    const newline = line.indexOf(0x0a)
    if (newline !== -1) {
      isCut ||= newline < line.length - 1
      line = line.subarray(0, newline)
    }
  }
  return `${line.toString()}${isCut ? '...' : ''}`
}

/** The offset where the UTF-8 character at `at` begins. */
function characterStart(text: Uint8Array, at: number): number {
  let start = at
  while (start > 0 && start > at - 4 && ((text[start] as number) & 0xc0) === 0x80) start--
  return start
}

/** A tree object as `--json` prints it: its type, and the target of a symbolic link. */
export function objJson(obj: TreeObj | { readonly type: 'dirref' }): object {
  if (obj.type === 'symlink') {
    return { type: 'symlink', target: obj.data.target, namespace: obj.data.namespace ?? null }
  }
  return { type: obj.type === 'dirref' || isDir(obj) ? 'dir' : 'value' }
}
