import { isDir, type TreeObj } from '../../kvs/index.ts'

/**
 * A value as `flux kvs get` prints it: up to its first NUL, where a C string ends, and a newline unless it is empty.
 *
 * @param raw - as it is, with nothing after it
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

/** A value for JSON: its text where it is UTF-8, else base64. */
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
 * `key = value` in at most `width` columns, as `flux kvs dir` shows it: up to the end of the first line, with `...` where
 * something is left out.
 *
 * @param start - of the value: at least `width` bytes, if it has as many
 * @param width - 0 or up to 3 is unlimited
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

/** Where the character begins that `at` is in. */
function characterStart(text: Uint8Array, at: number): number {
  let start = at
  while (start > 0 && start > at - 4 && ((text[start] as number) & 0xc0) === 0x80) start--
  return start
}

/** A tree object in brief, for JSON: what it is, and where a link leads. */
export function objJson(obj: TreeObj | { readonly type: 'dirref' }): object {
  if (obj.type === 'symlink') {
    return { type: 'symlink', target: obj.data.target, namespace: obj.data.namespace ?? null }
  }
  return { type: obj.type === 'dirref' || isDir(obj) ? 'dir' : 'value' }
}
