/**
 * Rock Ridge (RRIP 1.12): the entries that give a record the name, mode, owner, time and link target that it has in POSIX.
 * The root says that it is used under the identifier of 1991, as libarchive and mkisofs do: every reader knows that one.
 */
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../file-mode.ts'
import type { MemberAttributes } from '../../format-encoder.ts'
import { hasShortDate, longDate, putBoth32, shortDate } from './fields.ts'
import {
  COMPONENT_HEADER_BYTES,
  CONTINUE,
  ENTRY_HEADER_BYTES,
  PIECE_AT,
  PX,
  PX_BYTES,
  SL_CURRENT,
  SL_PARENT,
  SL_ROOT,
  SP_CHECK,
  TF_ACCESS,
  TF_ATTRIBUTES,
  TF_LONG_FORM,
  TF_MODIFY,
} from './layout.ts'
import { MAX_ENTRY_BYTES, type SystemUse } from './system-use.ts'

const DIRECTORY_MODE = 0o755

/** PX, TF and so on are filled in behind signature, length and version. */
const PX_DATA_BYTES = PX_BYTES - ENTRY_HEADER_BYTES
const TF_TIMES = TF_MODIFY | TF_ACCESS | TF_ATTRIBUTES

/** Bytes of a name in one NM entry, and of components in one SL entry: behind signature, length, version and flags. */
const MAX_PIECE_BYTES = MAX_ENTRY_BYTES - PIECE_AT

/** ER (SUSP 5.5): lengths of the three texts, version of the extension, and the texts, which RRIP 4.3 wants like this. */
const ER_TEXTS = [
  'RRIP_1991A',
  'THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS',
  'PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR ' +
    'CONTACT INFORMATION.',
]

export class RockRidge {
  readonly #directory: Uint8Array
  readonly #file: Uint8Array
  readonly #symlink: Uint8Array
  readonly #time: Uint8Array

  constructor({ mode, uid, gid, mtimeSeconds }: MemberAttributes) {
    const owned = (type: number) => {
      const px = Buffer.alloc(PX_DATA_BYTES)
      putBoth32(px, PX.mode - ENTRY_HEADER_BYTES, type)
      putBoth32(px, PX.uid - ENTRY_HEADER_BYTES, uid)
      putBoth32(px, PX.gid - ENTRY_HEADER_BYTES, gid)
      return px
    }
    this.#directory = owned(S_IFDIR | DIRECTORY_MODE)
    this.#file = owned(S_IFREG | mode)
    this.#symlink = owned(S_IFLNK | mode)
    const short = hasShortDate(mtimeSeconds)
    const time = short ? shortDate(mtimeSeconds) : longDate(mtimeSeconds)
    this.#time = Buffer.concat([Buffer.of(TF_TIMES | (short ? 0 : TF_LONG_FORM)), ...[time, time, time]])
  }

  /** That system use entries are used, from the first byte (SUSP 5.3): first of all in the root. */
  announce(use: SystemUse): void {
    use.entry('SP', 3).set([...SP_CHECK, 0], use.at(3))
  }

  /** Which extension is used: also in the root. */
  identify(use: SystemUse): void {
    const texts = Buffer.from(ER_TEXTS.join(''), 'latin1')
    const to = use.entry('ER', 4 + texts.length)
    to.set([...ER_TEXTS.map((text) => text.length), 1], use.at(4 + texts.length))
    to.set(texts, use.at(texts.length))
  }

  /** @param serial - tells one file from the other, where positions are the same because there are no data */
  directory(use: SystemUse, links: number, serial: number): void {
    this.#attributes(use, this.#directory, links, serial)
  }

  file(use: SystemUse, serial: number): void {
    this.#attributes(use, this.#file, 1, serial)
  }

  symlink(use: SystemUse, serial: number): void {
    this.#attributes(use, this.#symlink, 1, serial)
  }

  #attributes(use: SystemUse, px: Uint8Array, links: number, serial: number): void {
    const to = use.entry('PX', PX_DATA_BYTES)
    const at = use.at(PX_DATA_BYTES)
    to.set(px, at)
    putBoth32(to, at + PX.links - ENTRY_HEADER_BYTES, links)
    putBoth32(to, at + PX.serial - ENTRY_HEADER_BYTES, serial)
    const length = this.#time.length
    use.entry('TF', length).set(this.#time, use.at(length))
  }

  /** The name, in UTF-8: `names` from `from` to `end`. */
  name(use: SystemUse, names: Buffer, from: number, end: number): void {
    for (let at = from; at < end; ) {
      const next = Math.min(end, at + MAX_PIECE_BYTES)
      const length = 1 + next - at
      const to = use.entry('NM', length)
      const data = use.at(length)
      to[data] = next < end ? CONTINUE : 0
      names.copy(to, data + 1, at, next)
      at = next
    }
  }

  /** The target of a link: its parts are components, and nothing stands for the slashes between them. */
  target(use: SystemUse, target: string): void {
    const parts = target.split('/')
    const components: [flags: number, content: Buffer][] = []
    for (const [i, part] of parts.entries()) {
      // A leading slash is the root, and `/` nothing but that.
      if (i === 0 && part === '' && parts.length > 1) components.push([SL_ROOT, NOTHING])
      else if (target === '/') break
      else if (part === '.') components.push([SL_CURRENT, NOTHING])
      else if (part === '..') components.push([SL_PARENT, NOTHING])
      else components.push([0, Buffer.from(part)])
    }
    putComponents(use, 'SL', components)
  }

  /** The directory that stands here is there (CL), in a record that is no directory. */
  movedTo(use: SystemUse, sector: number): void {
    putBoth32(use.entry('CL', 8), use.at(8), sector)
  }

  /** The directory this was moved out of is there (PL): in the record of the parent. */
  movedFrom(use: SystemUse, sector: number): void {
    putBoth32(use.entry('PL', 8), use.at(8), sector)
  }

  /** This directory has been moved here (RE): not to be shown. */
  moved(use: SystemUse): void {
    use.entry('RE', 0)
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * Entries of the kind of SL: flags, then components, each of flags, a length and content. What does not fit into one entry
 * is continued in the next. libarchive takes the first component of an entry for the continuation of the last one of the
 * entry before, and RRIP 4.1.3.1 allows both, so an entry that another follows always ends within a component.
 */
export function putComponents(
  use: SystemUse,
  signature: string,
  components: readonly (readonly [flags: number, content: Uint8Array])[],
): void {
  const entries: number[][] = [[]]
  const add = (flags: number, content: Uint8Array) => entries.at(-1)?.push(flags, content.length, ...content)
  for (const [i, [flags, content]] of components.entries()) {
    // Room for a component of no bytes, to end the entry with.
    const reserve = i < components.length - 1 ? COMPONENT_HEADER_BYTES : 0
    let rest = content
    for (;;) {
      const room = MAX_PIECE_BYTES - (entries.at(-1) as number[]).length - COMPONENT_HEADER_BYTES
      if (rest.length + reserve <= room) break
      const length = Math.min(Math.max(rest.length - 1, 0), room)
      add(CONTINUE, rest.subarray(0, length))
      rest = rest.subarray(length)
      entries.push([])
    }
    add(flags, rest)
  }
  for (const [i, entry] of entries.entries()) {
    const to = use.entry(signature, 1 + entry.length)
    to.set([i < entries.length - 1 ? CONTINUE : 0, ...entry], use.at(1 + entry.length))
  }
}
