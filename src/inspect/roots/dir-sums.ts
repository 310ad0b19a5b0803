/**
 * Sums over all that is below each directory of a store, each directory being read once. A store lists a blob before
 * the directories that refer to it, nearly always: so what a directory contains is known when it is read, and is added
 * to its sums at once. Only references to blobs that are still to come are kept, and are followed at the end. That
 * bounds the memory by the number of directories, not by the number of references.
 */

import type { DigestTable } from './digest-table.ts'
import { DirEntries, LOG_NAME } from './dir-entries.ts'
import { ENTRY } from './entry-list.ts'
import { HEX_NAME, isJobDir, NAME } from './root-kind.ts'

/** Sums stop here: larger numbers are not exact. */
const MOST = Number.MAX_SAFE_INTEGER

/** What is known of a blob. */
const STATE = { UNREAD: 0, SOUND: 1, BAD: 2 } as const

/** What a reference to a blob that is still to come is for. */
const FOR = { VALUE: 0, LOG: 1, DIR: 2, JOBS: 3 } as const

export class DirSums {
  readonly entries: DirEntries
  /** For each blob: its state, whether a directory refers to it, and the number of its directory plus 1. */
  readonly #state: Uint8Array
  readonly #referred: Uint8Array
  readonly #dirs: Uint32Array
  /** For each blob: the newest time in the eventlogs below a directory; of a value, the time of its last event. */
  readonly newest: Float64Array
  /** For each directory: the bits of its names, and the sums of what is below it. */
  names = new Uint16Array(1 << 10)
  keys = new Float64Array(1 << 10)
  jobs = new Float64Array(1 << 10)
  lost = new Float64Array(1 << 10)
  #blobs = new Uint32Array(1 << 10)
  /** For each directory: its last reference to a blob that is still to come, plus 1. */
  #late = new Uint32Array(1 << 10)
  #size = 0
  /** References to blobs that are still to come: the blob, what for, and the directory's one before, plus 1. */
  #lateBlobs = new Uint32Array(1 << 10)
  #lateFor = new Uint8Array(1 << 10)
  #lateNext = new Uint32Array(1 << 10)
  #lateSize = 0

  /** @param table - all blobs of the store */
  constructor(table: DigestTable) {
    this.entries = new DirEntries(table)
    this.#state = new Uint8Array(table.size)
    this.#referred = new Uint8Array(table.size)
    this.#dirs = new Uint32Array(table.size)
    this.newest = new Float64Array(table.size)
  }

  /** A blob is no directory. @param time - of its last event, if it is a piece of an eventlog; else 0 */
  addValue(ordinal: number, time: number): void {
    this.#state[ordinal] = STATE.SOUND
    this.newest[ordinal] = time
  }

  /** A blob cannot be read, or is altered. */
  addBad(ordinal: number): void {
    this.#state[ordinal] = STATE.BAD
  }

  /** A blob is the directory that {@link entries} has read. */
  addDir(ordinal: number): void {
    const dir = this.#size++
    this.#reserve()
    this.#blobs[dir] = ordinal
    this.#dirs[ordinal] = this.#size
    this.#state[ordinal] = STATE.SOUND
    const { size, types, names, ends, times, refs, inlineNames } = this.entries
    let allNames = inlineNames
    let from = 0
    for (let i = 0; i < size; i++) {
      const name = names[i] as number
      const end = ends[i] as number
      allNames |= name
      switch (types[i]) {
        case ENTRY.DIRREF:
          this.#refer(dir, refs[from] as number, (name & (HEX_NAME | NAME.job)) !== 0 ? FOR.JOBS : FOR.DIR)
          break
        case ENTRY.VALREF:
          this.#count(dir)
          for (let at = from; at < end; at++) {
            this.#refer(dir, refs[at] as number, at === end - 1 && (name & LOG_NAME) !== 0 ? FOR.LOG : FOR.VALUE)
          }
          break
        case ENTRY.BAD:
          this.lost[dir] = (this.lost[dir] as number) + 1
          break
        default:
          this.#count(dir)
          this.#time(ordinal, times[i] as number)
      }
      from = end
    }
    this.names[dir] = allNames & ~LOG_NAME
    if (isJobDir(allNames)) this.jobs[dir] = 1
  }

  /** Follow the references that were kept. Call it when all blobs have been added. */
  settle(): void {
    const state = new Uint8Array(this.#size)
    const [OPEN, DONE] = [1, 2]
    const open: number[] = []
    for (let dir = 0; dir < this.#size; dir++) {
      if (this.#late[dir] === 0 || state[dir] === DONE) continue
      open.push(dir)
      while (open.length > 0) {
        const at = open.at(-1) as number
        state[at] = OPEN
        const late = (this.#late[at] as number) - 1
        if (late < 0) {
          state[at] = DONE
          open.pop()
          continue
        }
        const blob = this.#lateBlobs[late] as number
        const inside = (this.#dirs[blob] as number) - 1
        if (inside >= 0 && this.#late[inside] !== 0 && state[inside] !== OPEN) {
          open.push(inside)
          continue
        }
        this.#late[at] = this.#lateNext[late] as number
        // Only an unverified store can hold a directory that contains itself.
        if (inside >= 0 && state[inside] === OPEN) this.#lose(at)
        else this.#add(at, blob, this.#lateFor[late] as number)
      }
    }
  }

  /** The directories that no directory refers to: their ordinals among the blobs, ascending. */
  *unreferred(): Generator<number, void, void> {
    for (let ordinal = 0; ordinal < this.#dirs.length; ordinal++) {
      if (this.#dirs[ordinal] !== 0 && this.#referred[ordinal] === 0) yield ordinal
    }
  }

  /** The number of a directory; -1 for a blob that is none, or cannot be read. */
  dirOf(ordinal: number): number {
    return (this.#dirs[ordinal] as number) - 1
  }

  /** The directory `dir` refers to a blob. */
  #refer(dir: number, ordinal: number, purpose: number): void {
    if (ordinal < 0) {
      this.#lose(dir)
      return
    }
    this.#referred[ordinal] = 1
    if (this.#state[ordinal] === STATE.UNREAD) {
      this.#keep(dir, ordinal, purpose)
      return
    }
    const inside = (this.#dirs[ordinal] as number) - 1
    if (inside >= 0 && this.#late[inside] !== 0 && purpose >= FOR.DIR) this.#keep(dir, ordinal, purpose)
    else this.#add(dir, ordinal, purpose)
  }

  /** Add what is known of a blob to the sums of a directory that refers to it. */
  #add(dir: number, ordinal: number, purpose: number): void {
    if (this.#state[ordinal] !== STATE.SOUND) {
      this.#lose(dir)
      return
    }
    const own = this.#blobs[dir] as number
    if (purpose < FOR.DIR) {
      if (purpose === FOR.LOG && this.#dirs[ordinal] === 0) this.#time(own, this.newest[ordinal] as number)
      return
    }
    const inside = (this.#dirs[ordinal] as number) - 1
    if (inside < 0) {
      // A dirref to something that is no directory.
      this.#lose(dir)
      return
    }
    this.keys[dir] = Math.min((this.keys[dir] as number) + (this.keys[inside] as number), MOST)
    this.lost[dir] = Math.min((this.lost[dir] as number) + (this.lost[inside] as number), MOST)
    this.#time(own, this.newest[ordinal] as number)
    // What a job holds are no jobs.
    if (purpose === FOR.JOBS && !isJobDir(this.names[dir] as number)) {
      this.jobs[dir] = Math.min((this.jobs[dir] as number) + (this.jobs[inside] as number), MOST)
    }
  }

  #count(dir: number): void {
    this.keys[dir] = (this.keys[dir] as number) + 1
  }

  #lose(dir: number): void {
    this.lost[dir] = (this.lost[dir] as number) + 1
  }

  #time(ordinal: number, time: number): void {
    if (time > (this.newest[ordinal] as number)) this.newest[ordinal] = time
  }

  #keep(dir: number, ordinal: number, purpose: number): void {
    const at = this.#lateSize++
    if (at === this.#lateBlobs.length) {
      this.#lateBlobs = doubled(this.#lateBlobs)
      this.#lateFor = doubled(this.#lateFor)
      this.#lateNext = doubled(this.#lateNext)
    }
    this.#lateBlobs[at] = ordinal
    this.#lateFor[at] = purpose
    this.#lateNext[at] = this.#late[dir] as number
    this.#late[dir] = at + 1
  }

  #reserve(): void {
    if (this.#size <= this.keys.length) return
    this.names = doubled(this.names)
    this.keys = doubled(this.keys)
    this.jobs = doubled(this.jobs)
    this.lost = doubled(this.lost)
    this.#blobs = doubled(this.#blobs)
    this.#late = doubled(this.#late)
  }
}

/** A copy of twice the length. */
function doubled<A extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(numbers: A): A {
  const larger = new (numbers.constructor as new (length: number) => A)(numbers.length * 2)
  larger.set(numbers)
  return larger
}
