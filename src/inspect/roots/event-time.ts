const NEWLINE = 0x0a
const OPEN = 0x7b

/** Longer events are not looked at. In bytes. */
const MOST = 64 << 10

const START = Buffer.from('{"timestamp":')
const decoder = new TextDecoder()

/**
 * The time of the last event in a piece of an eventlog (RFC 18), without parsing the rest.
 *
 * @param text - the end of the log, at least its last line
 * @returns seconds since 1970; 0 when the last line is not an event
 */
export function lastEventTime(text: Uint8Array): number {
  const last = text.length - 1
  if (last < 1 || text[last] !== NEWLINE || text[last - 1] !== 0x7d) return 0
  const least = Math.max(0, last - MOST)
  let start = last
  while (start > least && text[start - 1] !== NEWLINE) start--
  if (text[start] !== OPEN) return 0
  if (!startsWith(text, start, START)) return parsedTime(text.subarray(start, last))
  const from = start + START.length
  let at = from
  // A comma or a brace ends the number.
  while (text[at] !== 0x2c && text[at] !== 0x7d && at < last) at++
  return soundTime(Number(latin1(text, from, at)))
}

/** The time of an event whose first member is another. */
function parsedTime(line: Uint8Array): number {
  try {
    return soundTime((JSON.parse(decoder.decode(line)) as { timestamp?: unknown } | null)?.timestamp)
  } catch {
    return 0
  }
}

function soundTime(time: unknown): number {
  return typeof time === 'number' && time > 0 && Number.isFinite(time) ? time : 0
}

/** True when `text` has the bytes of `start` at `at`. */
export function startsWith(text: Uint8Array, at: number, start: Uint8Array): boolean {
  if (at + start.length > text.length) return false
  for (let i = 0; i < start.length; i++) if (text[at + i] !== start[i]) return false
  return true
}

/** Bytes as a string of as many characters. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
