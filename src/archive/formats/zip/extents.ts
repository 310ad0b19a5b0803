/**
 * The ranges of a zip's members, which must not overlap. A zip whose members share content is a bomb: thousands of
 * members inflate the same megabytes. No writer produces one, or content that overlaps the directory.
 */
import { Input } from '../../input.ts'
import type { Reading } from '../../member.ts'
import type { Source } from '../../source.ts'
import { Window } from '../window.ts'
import { SIGNATURE_MAGIC } from './layout.ts'
import type { At } from './local-header.ts'
import { passEntry, readEntry, type ZipDirectory } from './read-directory.ts'

export class ZipExtents {
  readonly #directory: ZipDirectory
  readonly #reading: Reading
  /** The sorted offsets of all members; undefined when the directory lists the members in this order. */
  readonly #starts: Float64Array | undefined
  /** End offset and path of the last member. */
  #end = 0
  #last = ''

  private constructor(directory: ZipDirectory, reading: Reading, starts: Float64Array | undefined) {
    this.#directory = directory
    this.#reading = reading
    this.#starts = starts
  }

  /**
   * Scan the directory before any member is read. If it lists the members in order of their offsets, as all writers do,
   * nothing is kept; else 8 bytes for each member.
   *
   * @throws {ArchiveError} `EBADMSG` the directory does not have the number of entries that its end record gives, or
   *   two entries have the same offset
   */
  static async scan(source: Source, directory: ZipDirectory, reading: Reading): Promise<ZipExtents> {
    let last = -1
    let ordered = true
    await scan(source, directory, reading, (offset) => {
      ordered &&= offset > last
      last = offset
    })
    if (ordered) return new ZipExtents(directory, reading, undefined)
    const starts = new Float64Array(directory.entries)
    let n = 0
    await scan(source, directory, reading, (offset) => {
      starts[n++] = offset
    })
    starts.sort()
    for (let i = 1; i < starts.length; i++) {
      if (starts[i] !== starts[i - 1]) continue
      throw reading.error('EBADMSG', 'damaged: two members have one content', { offset: starts[i] as number })
    }
    return new ZipExtents(directory, reading, starts)
  }

  /** @throws {ArchiveError} `EBADMSG` the range overlaps another member or the directory */
  assertFree(start: number, end: number, at: At): void {
    if (end > this.#directory.offset) {
      throw this.#reading.error('EBADMSG', 'damaged: its content overlaps the directory at the end', at)
    }
    if (this.#starts !== undefined) {
      const next = firstAbove(this.#starts, start)
      if (next === undefined || end <= next) return
      throw this.#reading.error('EBADMSG', `damaged: its content overlaps that of the member at byte ${next}`, at)
    }
    if (start < this.#end)
      throw this.#reading.error('EBADMSG', `damaged: it overlaps the member before, ${this.#last}`, at)
    this.#end = end
    this.#last = at.path
  }
}

async function scan(
  source: Source,
  directory: ZipDirectory,
  reading: Reading,
  visit: (headerOffset: number) => void,
): Promise<void> {
  const input = new Input(new Window(source).stretch(directory.offset, directory.size))
  for (let n = 0; n < directory.entries; n++) {
    visit(passEntry(input) ?? (await readEntry(input, directory.offset, reading)).headerOffset)
  }
  if (!(await input.fill(4))) {
    if (input.available === 0) return
  } else if (input.buffer.readUInt32LE(input.position) === SIGNATURE_MAGIC) return
  const offset = directory.offset + input.offset
  throw reading.error('EBADMSG', `damaged: the directory goes on after its ${directory.entries} entries`, { offset })
}

function firstAbove(sorted: Float64Array, value: number): number | undefined {
  let low = 0
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return sorted[low]
}
