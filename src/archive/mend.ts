/**
 * Finds the whole members of a damaged archive whose members follow each other, as in tar and cpio. Where no member
 * begins, it goes on at the next one. A member whose content runs into the next one has lost a piece, and is left out.
 */
import type { Input } from './input.ts'
import type { Reading } from './member.ts'
import { Tape } from './tape.ts'

/** The data up to the damage, which is reported. Without salvage it is thrown. */
export async function* untilDamage(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    reading.lose(error)
  }
}

/** How to find the members of a format. */
export interface Frames {
  /** Bytes to look at to know whether a member begins. */
  readonly headBytes: number
  /** True when a member begins here, or the end of the archive. The buffer may end before it. */
  begins(buffer: Buffer, at: number): boolean
  /** Bytes of the longest header: with so many behind a place, {@link search} tells more surely. */
  readonly lookBytes: number
  /**
   * The first place from `at` on where a member may begin; -1 for none. It may be a place that is no member.
   *
   * @param isLast - true when nothing follows the buffer
   */
  search(buffer: Buffer, at: number, isLast: boolean): number
  /**
   * Measure the member at the position of the input, without consuming it. The headers are in the buffer afterwards.
   *
   * @returns undefined when its headers are damaged or cut off
   */
  measure(input: Input): Promise<Frame | undefined>
  /** Members begin at multiples of this. */
  readonly align: number
  /** What ends an archive. */
  readonly end: Uint8Array
  /** True when zeros end an archive, and nothing else follows the end. */
  readonly endsInZeros?: boolean
}

/** The size of a member. */
export interface Frame {
  /** Bytes of its headers, and of its content; the content is followed by padding. */
  readonly headers: number
  readonly content: number
  readonly padding: number
  readonly path: string | undefined
  /** True for what ends the archive. */
  readonly isEnd: boolean
  /** Checks the content, if the format has a checksum. */
  isSound?(content: Iterable<Uint8Array>): boolean
}

/** Members up to this size are checked in memory. Larger ones are copied to a temporary file first. */
const HELD_BYTES = 64 << 20

/** Bytes of a large content that are passed on at a time. */
const PIECE_BYTES = 1 << 20

/** Bytes searched at a time. */
const SEARCH_BYTES = 256 << 10

/**
 * @param origin - the archive
 * @param frames - the format
 * @yields whole members, and then the end of the archive
 */
export async function* wholeMembers(origin: Input, reading: Reading, frames: Frames): AsyncGenerator<Uint8Array> {
  await using tape = new Tape(origin, reading.archive)
  let input = origin
  const lost = (what: string, path?: string) =>
    reading.lose(reading.error('EBADMSG', what, { offset: input.offset, ...(path === undefined ? {} : { path }) }))
  /** A member that is followed by something else: the next one is damaged, or this one has lost a piece. */
  let doubtful: { member: Uint8Array; path: string | undefined } | undefined
  /** Where what is damaged begins, until a member is found behind it. */
  let damagedFrom: number | undefined
  function* endDamage(end: number, where: string): Generator<Uint8Array> {
    if (damagedFrom === undefined) return
    const bytes = end - damagedFrom
    if (doubtful) {
      // Damage that only overwrites leaves the distances as they were.
      if (frames.align > 1 && bytes % frames.align === 0) yield doubtful.member
      else lost('damaged: a piece of its content may be missing', doubtful.path)
      doubtful = undefined
    }
    reading.lose(reading.error('EBADMSG', `damaged: ${bytes} bytes skipped, ${where}`, { offset: damagedFrom }))
    damagedFrom = undefined
  }
  while (await input.fill(1)) {
    const frame = await frames.measure(input)
    if (frame === undefined || frame.isEnd) {
      const offset = input.offset
      const { isFound, hasSkipped } = await skipToMember(input, frames, frame?.headers ?? 1)
      if (frame && !isFound) {
        // What follows the end of an archive is padding, or nothing.
        yield* endDamage(offset, 'up to the end of the archive')
        // Or zeros were written over the header of a member, and this is its content.
        if (frames.endsInZeros && hasSkipped) {
          const bytes = input.offset - offset
          reading.lose(
            reading.error('EBADMSG', `damaged: ${bytes} bytes skipped behind zeros, up to the end`, { offset }),
          )
        }
        yield frames.end
        return
      }
      damagedFrom ??= offset
      continue
    }
    yield* endDamage(input.offset, 'up to the next member')
    const { headers, content, padding, path } = frame
    const bytes = headers + content
    if (bytes + padding > HELD_BYTES) {
      // A member that says so much may be none: it is kept in a file until what follows proves it.
      const head = Buffer.from(await input.take(headers))
      const from = input.offset
      const end = from + content + padding
      input = await tape.cover(input, end + frames.headBytes)
      const verdict = verdictOf(tape, input, from, frame, frames)
      if (verdict === 'whole') {
        yield head
        yield* piecesOf(tape, from, content)
        yield Buffer.alloc(padding)
      } else lost(LOSSES[verdict], path)
      if (verdict === 'truncated' || verdict === 'overlapping') await skipToMember(input, frames, 0)
      else input = tape.from(Math.min(end, tape.end))
      continue
    }
    await input.fill(bytes + padding + frames.headBytes)
    const { buffer, position, available } = input
    const end = position + bytes + padding
    const isFollowed = available >= bytes && (available <= bytes + padding || frames.begins(buffer, end))
    const cut = isFollowed ? -1 : searchIn(buffer, position + headers, end, frames)
    if (cut >= 0 || available < bytes) {
      lost(cut < 0 ? 'truncated: its content is cut off' : 'damaged: a piece of its content is missing', path)
      input.position = cut < 0 ? buffer.length : cut
      continue
    }
    const member = buffer.subarray(position, Math.min(end, buffer.length))
    input.position += member.length
    if (frame.isSound && !frame.isSound([member.subarray(headers, bytes)])) {
      lost('damaged: its checksum does not match', path)
      continue
    }
    if (!isFollowed) {
      doubtful = { member: Buffer.from(member), path }
      continue
    }
    yield member
    if (member.length < bytes + padding) yield Buffer.alloc(bytes + padding - member.length)
  }
  yield* endDamage(input.offset, 'up to the end')
  reading.lose(reading.error('EBADMSG', 'truncated: the end of the archive is missing', { offset: input.offset }))
  yield frames.end
}

/** The first place in a part of a buffer where a member begins; -1 for none. */
function searchIn(buffer: Buffer, from: number, to: number, frames: Frames, isLast = false): number {
  for (let at = frames.search(buffer, from, isLast); at >= 0 && at < to; at = frames.search(buffer, at + 1, isLast)) {
    if (frames.begins(buffer, at)) return at
  }
  return -1
}

/**
 * Go on to where a member begins, `least` bytes further at least.
 *
 * @returns whether there is one, and whether more than zeros was skipped behind those `least` bytes
 */
async function skipToMember(
  input: Input,
  frames: Frames,
  least: number,
): Promise<{ isFound: boolean; hasSkipped: boolean }> {
  await input.skip(least)
  let hasSkipped = false
  while (true) {
    const isMore = await input.fill(SEARCH_BYTES + frames.lookBytes)
    const { buffer, position } = input
    // A member may begin in the last bytes, which are not enough to tell.
    const to = isMore ? buffer.length - frames.lookBytes : buffer.length
    const at = searchIn(buffer, position, to, frames, !isMore)
    input.position = at < 0 ? to : at
    for (let i = position; i < input.position && !hasSkipped; i++) hasSkipped = buffer[i] !== 0
    if (at >= 0 || !isMore) return { isFound: at >= 0, hasSkipped }
  }
}

/**
 * What is to be said of a member that is too large for memory: whether another one follows it, or else whether one begins in
 * it.
 *
 * @param from - where its content begins. The tape covers it, as far as there is that much
 */
function verdictOf(tape: Tape, input: Input, from: number, frame: Frame, frames: Frames): Verdict {
  const { content, padding } = frame
  if (tape.end < from + content) return 'truncated'
  const end = from + content + padding
  const next = tape.readAt(end, frames.headBytes)
  if (next.length === 0 || frames.begins(next, 0)) {
    return frame.isSound?.(piecesOf(tape, from, content)) === false ? 'altered' : 'whole'
  }
  // Nearly always there is one in what is in memory.
  if (searchIn(input.buffer, input.position, Math.min(input.buffer.length, input.position + content), frames) >= 0)
    return 'overlapping'
  for (let at = from; at < end; at += SEARCH_BYTES) {
    const piece = tape.readAt(at, SEARCH_BYTES + frames.headBytes)
    if (searchIn(piece, 0, Math.min(SEARCH_BYTES, end - at), frames) >= 0) return 'overlapping'
  }
  return frames.align > 1 ? 'whole' : 'doubtful'
}

function* piecesOf(tape: Tape, from: number, bytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes; at += PIECE_BYTES) yield tape.readAt(from + at, Math.min(PIECE_BYTES, bytes - at))
}

type Verdict = 'whole' | 'truncated' | 'overlapping' | 'doubtful' | 'altered'

const LOSSES: Readonly<Record<Exclude<Verdict, 'whole'>, string>> = {
  truncated: 'truncated: its content is cut off',
  overlapping: 'damaged: a piece of its content is missing',
  doubtful: 'damaged: a piece of its content may be missing',
  altered: 'damaged: its checksum does not match',
}
