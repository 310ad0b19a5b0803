/**
 * Finds checkpoints in pages by their text.
 *
 * A row of `checkpt_v2` is an id and a text, a JSON object with a member `rootref`; one of the older `checkpt` is the key
 * `kvs-primary` and such a text, or a bare blobref. The record has the length of the text before it, so a value of the KVS
 * that looks alike is not taken for a checkpoint.
 */
import { parseJson } from '../../../bytes/index.ts'
import { type Checkpoint, decodeCheckpoint, MAX_CHECKPOINTS } from '../../checkpoint.ts'
import { endsWithVarint, rowidBefore, SERIAL, varintBytes } from './layout.ts'

const MEMBER = Buffer.from('"rootref"')
const KEY = Buffer.from('kvs-primary')

/** A checkpoint has a few short members. In bytes. */
const LONGEST = 1024

const [OPEN, CLOSE] = [0x7b, 0x7d]

/** A checkpoint, and the id of its row where that is known. */
export interface FoundCheckpoint {
  checkpoint: Checkpoint
  id: number | undefined
}

/**
 * Find the checkpoints in some pages.
 *
 * @param bytes - whole pages, each `stride` bytes after the one before
 * @param onFound - called with each
 */
export function findCheckpoints(bytes: Buffer, stride: number, onFound: (found: FoundCheckpoint) => void): void {
  for (let at = bytes.indexOf(MEMBER); at >= 0; at = bytes.indexOf(MEMBER, at + 1)) {
    const page = at - (at % stride)
    const found = objectAround(bytes, page, Math.min(page + stride, bytes.length), at)
    if (found) onFound(found)
  }
  for (let at = bytes.indexOf(KEY); at >= 0; at = bytes.indexOf(KEY, at + 1)) {
    const from = at + KEY.length
    const [blobref] = /^sha1-[0-9a-f]{40}|^sha256-[0-9a-f]{64}/.exec(bytes.toString('latin1', from, from + 71)) ?? []
    if (blobref === undefined || !endsWithVarint(bytes, at, SERIAL.TEXT + 2 * blobref.length)) continue
    onFound({ checkpoint: decodeCheckpoint(blobref, ''), id: undefined })
  }
}

/** The checkpoint whose JSON text is around a place; undefined when none is. */
function objectAround(bytes: Buffer, page: number, pageEnd: number, at: number): FoundCheckpoint | undefined {
  // No further than a checkpoint reaches: a damaged file may hold thousands of such members, and no brackets.
  const from = Math.max(page, at - LONGEST)
  const open = from + bytes.subarray(from, at).lastIndexOf(OPEN)
  const close = at + bytes.subarray(at, Math.min(pageEnd, at + LONGEST)).indexOf(CLOSE)
  if (open < from || close < at || close - open > LONGEST) return undefined
  const length = close + 1 - open
  const type = SERIAL.TEXT + 2 * length
  const key = open - KEY.length
  const ofKey = key >= page && bytes.compare(KEY, 0, KEY.length, key, open) === 0
  const typesEnd = ofKey ? key : open
  if (!endsWithVarint(bytes, typesEnd, type)) return undefined
  let checkpoint: Checkpoint
  try {
    checkpoint = decodeCheckpoint(parseJson(bytes.toString('utf8', open, close + 1)), '')
  } catch {
    return undefined
  }
  // The header of a row of checkpt_v2: its length, no value for the id, which is the rowid, and the type of the text.
  const header = varintBytes(type) + 2
  const record = typesEnd - header
  const isRow = !ofKey && record > page && bytes[record] === header && bytes[record + 1] === SERIAL.NULL
  return { checkpoint, id: isRow ? rowidBefore(bytes, page, record, header + length) : undefined }
}

/**
 * Checkpoints in order, newest first, each once: those of known ids by id, then the others by time. Only the newest are kept:
 * one more than `MAX_CHECKPOINTS`.
 */
export function inOrder(found: readonly FoundCheckpoint[]): FoundCheckpoint[] {
  const sorted = [...found].sort(
    (a, b) =>
      (b.id ?? 0) - (a.id ?? 0) ||
      b.checkpoint.timestamp - a.checkpoint.timestamp ||
      b.checkpoint.sequence - a.checkpoint.sequence,
  )
  const seen = new Set<string>()
  const newest = sorted.filter(({ checkpoint: { rootref, sequence, timestamp } }) => {
    const name = `${rootref} ${sequence} ${timestamp}`
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
  return newest.slice(0, MAX_CHECKPOINTS + 1)
}
