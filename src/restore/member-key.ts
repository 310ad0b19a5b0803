/** The keys of members: the reverse of how `dump` turns keys into members. */
import type { ExtraRecords } from '../archive/index.ts'
import { FluxError, printable } from '../errors/index.ts'
import { COMPONENTS_RECORD, LINKNAME_RECORD, linkOf } from '../kvs/index.ts'

/**
 * The components of a member's key: those of its pax record if it has one, else those of its path.
 *
 * @throws {FluxError} `EINVAL` the record is damaged, or the key holds a NUL, which Flux cannot store
 */
export function componentsOfMember(path: string, extra: ExtraRecords | undefined): readonly string[] {
  const record = extra?.[COMPONENTS_RECORD]
  if (record === undefined) return path.split('/')
  const components = parse(path, COMPONENTS_RECORD, record)
  const isSound =
    Array.isArray(components) && components.length > 0 && components.every((component) => isText(component))
  if (!isSound) throw damaged(path, COMPONENTS_RECORD)
  refuseNul(path, 'its key', components.join(''))
  return components
}

/** True when the key of a member is in its pax record, because its path cannot say it. */
export function hasKeyRecord(extra: ExtraRecords | undefined): boolean {
  return extra?.[COMPONENTS_RECORD] !== undefined
}

/**
 * The target of a symlink member. `NAMESPACE::TARGET` is split at the first `::`.
 *
 * @throws {FluxError} `EINVAL` the record is damaged, or the target holds a NUL
 */
export function targetOfMember(
  path: string,
  linkname: string,
  extra: ExtraRecords | undefined,
): { target: string; namespace: string | undefined } {
  const record = extra?.[LINKNAME_RECORD]
  const text = record === undefined ? linkname : parse(path, LINKNAME_RECORD, record)
  if (!isText(text)) throw damaged(path, LINKNAME_RECORD)
  refuseNul(path, 'its target', text)
  return linkOf(text)
}

function parse(path: string, keyword: string, record: string): unknown {
  try {
    return JSON.parse(record)
  } catch {
    throw damaged(path, keyword)
  }
}

/** JSON allows half a surrogate pair, but Flux refuses such text. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function damaged(path: string, keyword: string): FluxError {
  return new FluxError('EINVAL', `${printable(path)}: its ${keyword} record is damaged`)
}

function refuseNul(path: string, what: string, text: string): void {
  if (!text.includes('\0')) return
  throw new FluxError('EINVAL', `${printable(path)}: ${what} holds a NUL, which Flux cannot store`, {
    hint: 'leave it out with --exclude',
  })
}
