/**
 * Finds the whole members of a damaged archive whose members follow each other, as in tar and cpio. Where no member
 * begins, it goes on at the next one. A member whose content runs into the next one has lost a piece, and is left out.
 */
import type { Input } from './input.ts'
import type { Reading } from './member.ts'
import { Source } from './source.ts'

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
  /** The first place from `at` on where a member may begin; -1 for none. It may be a place that is no member. */
  search(buffer: Buffer, at: number): number
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
  isSound?(content: Uint8Array): boolean
}

/** Contents up to this size are checked in memory. Larger ones are copied to a temporary file first. */
const HELD_BYTES = 64 << 20

/** Bytes of a large content that are passed on at a time. */
const PIECE_BYTES = 1 << 20

/** Bytes searched at a time. */
const SEARCH_BYTES = 256 << 10

/**
 * @param frames - the format
 * @yields whole members, and then the end of the archive
 */
export async function* wholeMembers(input: Input, reading: Reading, frames: Frames): AsyncGenerator<Uint8Array> {
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
      const found = await skipToMember(input, frames, frame?.headers ?? 1)
      if (frame && !found) {
        // What follows the end of an archive is padding, or nothing.
        yield* endDamage(offset, 'up to the end of the archive')
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
      yield* large(input, reading, frame, lost)
      continue
    }
    await input.fill(bytes + padding + frames.headBytes)
    const { buffer, position, available } = input
    const end = position + bytes + padding
    const isFollowed = available <= bytes + padding || frames.begins(buffer, end)
    const cut = isFollowed ? -1 : searchIn(buffer, position + headers, end, frames)
    if (cut >= 0 || available < bytes) {
      lost(cut < 0 ? 'truncated: its content is cut off' : 'damaged: a piece of its content is missing', path)
      input.position = cut < 0 ? buffer.length : cut
      continue
    }
    const member = buffer.subarray(position, Math.min(end, buffer.length))
    input.position += member.length
    if (frame.isSound && !frame.isSound(member.subarray(headers, bytes))) {
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
function searchIn(buffer: Buffer, from: number, to: number, frames: Frames): number {
  for (let at = frames.search(buffer, from); at >= 0 && at < to; at = frames.search(buffer, at + 1)) {
    if (frames.begins(buffer, at)) return at
  }
  return -1
}

/** Go on to where a member begins, `least` bytes further at least. @returns false at the end of the input */
async function skipToMember(input: Input, frames: Frames, least: number): Promise<boolean> {
  await input.skip(least)
  for (let isMore = true; ; isMore = await input.fill(SEARCH_BYTES)) {
    // First what is there: to fill the buffer at each of many places that are no member would take long.
    const { buffer, position } = input
    const at = searchIn(buffer, position, buffer.length, frames)
    if (at >= 0) {
      input.position = at
      return true
    }
    // A member may begin in the last bytes, which are not enough to tell.
    input.position = isMore ? Math.max(position, buffer.length - frames.headBytes + 1) : buffer.length
    if (!isMore) return false
  }
}

/** A member that is too large for memory: it is copied, to know that it is whole before the reader sees it. */
async function* large(
  input: Input,
  reading: Reading,
  { headers, content, padding, path }: Frame,
  lost: (what: string, path?: string) => void,
): AsyncGenerator<Uint8Array> {
  const head = Buffer.from(await input.take(headers))
  await using spooled = await Source.spool(taken(input, content), reading.archive)
  if ((spooled.size as number) < content) {
    lost('truncated: its content is cut off', path)
    return
  }
  await input.skip(padding)
  yield head
  for (let at = 0; at < content; ) {
    const chunk = await spooled.readAt(at, Math.min(PIECE_BYTES, content - at))
    at += chunk.length
    yield chunk
  }
  yield Buffer.alloc(padding)
}

async function* taken(input: Input, bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; ) {
    const some = await input.takeSome(left)
    if (some === undefined) return
    left -= some.length
    yield some
  }
}
