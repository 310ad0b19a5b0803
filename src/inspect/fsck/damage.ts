import { type ErrnoName, errnoText } from '../../errors/index.ts'
import type { BadPart, TreeErrorKind } from '../../kvs/index.ts'

/** One blob that is missing, altered or unreadable. */
export interface BadBlob {
  /** Position in the value's list of blobrefs, from 0. */
  readonly index: number
  readonly blobref: string
  /** `ENOENT` missing, `EBADMSG` altered, anything else unreadable. */
  readonly code: ErrnoName
  /** The text of the error. */
  readonly message: string
}

/**
 * What is wrong with a key. When several blobs of a value are bad, the last one decides between missing, altered and
 * unreadable. For the other kinds see {@link TreeErrorKind}.
 */
export type DamageKind =
  | `${'missing' | 'altered' | 'unreadable'}-${'value' | 'dir'}`
  | Exclude<TreeErrorKind, 'missing-value' | 'missing-dir'>

/** A damaged key. */
export interface Damage {
  readonly kind: DamageKind
  /** The components of the key; none for the root. */
  readonly components: readonly string[]
  /** All blobrefs of its tree object. */
  readonly blobrefs: readonly string[]
  readonly badBlobs: readonly BadBlob[]
}

/** The {@link BadBlob} of a blob that a store could not load. */
export function badBlob({ index, error: { blobref, code, message } }: BadPart): BadBlob {
  return { index, blobref, code, message }
}

/** The state of a bad blob, from its error code. */
export function blobState({ code }: { code: ErrnoName }): 'missing' | 'altered' | 'unreadable' {
  return code === 'ENOENT' ? 'missing' : code === 'EBADMSG' ? 'altered' : 'unreadable'
}

/** Whether the bad blobs belong to a value or to a directory; undefined for damage that is not in a blob. */
export function damagedBlobs(kind: DamageKind): 'value' | 'dir' | undefined {
  return BLOB_DAMAGE[kind]?.of
}

const BLOB_DAMAGE: { readonly [kind in DamageKind]?: { of: 'value' | 'dir'; state: ReturnType<typeof blobState> } } = {
  'missing-value': { of: 'value', state: 'missing' },
  'altered-value': { of: 'value', state: 'altered' },
  'unreadable-value': { of: 'value', state: 'unreadable' },
  'missing-dir': { of: 'dir', state: 'missing' },
  'altered-dir': { of: 'dir', state: 'altered' },
  'unreadable-dir': { of: 'dir', state: 'unreadable' },
}

/** The kind of damage of a value or directory with bad blobs. */
export function blobDamageKind(type: 'value' | 'dir', badBlobs: readonly BadBlob[]): DamageKind {
  return `${blobState(badBlobs.at(-1) as BadBlob)}-${type}`
}

const WORDS = {
  'bad-treeobj': 'could not decode tree object',
  'not-a-dir': 'dirref references non-directory',
  'bad-dirref': 'dirref blobref count is not 1',
  'bad-value': 'could not decode value',
} as const

/** The key as `flux fsck` shows it; `.` for the root. */
export function damagedKey({ components }: Damage): string {
  return components.length === 0 ? '.' : components.join('.')
}

/**
 * The lines of `flux fsck` for a damage. Damage that `flux fsck` does not look for has lines of the same form.
 *
 * @param verbose - a line for each blob of a value
 */
export function damageLines(damage: Damage, verbose: boolean): string[] {
  const { kind, badBlobs } = damage
  const key = damagedKey(damage)
  switch (kind) {
    case 'missing-dir':
    case 'altered-dir':
      return [`${key}: ${BLOB_DAMAGE[kind]?.state} dirref blobref`]
    case 'unreadable-dir':
      return [`${key}: error retrieving dirref blobref: ${reason(badBlobs.at(-1))}`]
    case 'missing-value':
    case 'altered-value':
    case 'unreadable-value':
      if (verbose) return badBlobs.map((bad) => `${key}: ${blobWords(bad)}`)
      if (kind === 'unreadable-value') return [`${key}: error retrieving blobref(s): ${reason(badBlobs.at(-1))}`]
      return [`${key}: ${BLOB_DAMAGE[kind]?.state} blobref(s)`]
    default:
      return [`${key}: ${WORDS[kind]}`]
  }
}

function blobWords(bad: BadBlob): string {
  if (bad.code === 'ENOENT') return `missing blobref index=${bad.index}`
  if (bad.code === 'EBADMSG') return `altered blobref index=${bad.index}`
  return `error retrieving blobref index=${bad.index}: ${reason(bad)}`
}

function reason(bad: BadBlob | undefined): string {
  return errnoText(bad?.code ?? 'EIO')
}
