/**
 * Rock Ridge (RRIP 1.12): the entries that give a record its POSIX name, mode, owner, time and link target. The root
 * announces it by the identifier of 1991, which every reader knows, as libarchive and mkisofs do.
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

/** Bytes of PX, TF and other entries after signature, length and version. */
const PX_DATA_BYTES = PX_BYTES - ENTRY_HEADER_BYTES
const TF_TIMES = TF_MODIFY | TF_ACCESS | TF_ATTRIBUTES

/**
 * Most bytes of a name in one NM entry, and of components in one SL entry, after signature, length, version and flags.
 */
const MAX_PIECE_BYTES = MAX_ENTRY_BYTES - PIECE_AT

/** ER (SUSP 5.5): lengths of the three texts, version of the extension, and the texts, as RRIP 4.3 gives them. */
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

  /** SP: announces system use entries from the first byte on (SUSP 5.3). The first entry of the root. */
  announce(use: SystemUse): void {
    use.entry('SP', 3).set([...SP_CHECK, 0], use.at(3))
  }

  /** ER: names the extension that is used. Also in the root. */
  identify(use: SystemUse): void {
    const texts = Buffer.from(ER_TEXTS.join(''), 'latin1')
    const to = use.entry('ER', 4 + texts.length)
    to.set([...ER_TEXTS.map((text) => text.length), 1], use.at(4 + texts.length))
    to.set(texts, use.at(texts.length))
  }

  /** @param serial - identifies the file, since files without data have the same position */
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

  /** NM: the name, in UTF-8, which is `names` from `from` to `end`. */
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

  /** SL: the target of a link. Its parts become components; the slashes between them are implied. */
  target(use: SystemUse, target: string): void {
    const parts = target.split('/')
    const components: [flags: number, content: Buffer][] = []
    for (const [i, part] of parts.entries()) {
      // A leading slash becomes the root component, and `/` only that.
      if (i === 0 && part === '' && parts.length > 1) components.push([SL_ROOT, NOTHING])
      else if (target === '/') break
      else if (part === '.') components.push([SL_CURRENT, NOTHING])
      else if (part === '..') components.push([SL_PARENT, NOTHING])
      else components.push([0, Buffer.from(part)])
    }
    putComponents(use, 'SL', components)
  }

  /** CL: the position of a moved directory, in the record of its placeholder. */
  movedTo(use: SystemUse, sector: number): void {
    putBoth32(use.entry('CL', 8), use.at(8), sector)
  }

  /** PL: the position of the original parent, in a moved directory's record of its parent. */
  movedFrom(use: SystemUse, sector: number): void {
    putBoth32(use.entry('PL', 8), use.at(8), sector)
  }

  /** RE: marks a directory that was moved here, so that readers do not show it. */
  moved(use: SystemUse): void {
    use.entry('RE', 0)
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * Write entries such as SL: flags, then components, each with flags, a length and content. What does not fit into one
 * entry continues in the next. libarchive takes the first component of an entry as the continuation of the last
 * component before it. RRIP 4.1.3.1 allows both forms, so an entry followed by another one always ends within a
 * component.
 */
export function putComponents(
  use: SystemUse,
  signature: string,
  components: readonly (readonly [flags: number, content: Uint8Array])[],
): void {
  const entries: number[][] = [[]]
  const add = (flags: number, content: Uint8Array) => entries.at(-1)?.push(flags, content.length, ...content)
  for (const [i, [flags, content]] of components.entries()) {
    // Room for an empty component at the end of the entry.
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
