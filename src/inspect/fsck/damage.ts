import { type ErrnoName, errnoText } from '../../errors/index.ts'
import type { BadPart, TreeErrorKind } from '../../kvs/index.ts'

/** One blob that cannot be had. */
export interface BadBlob {
  /** Which of the blobs of the value. */
  readonly index: number
  readonly blobref: string
  /** `ENOENT` missing, `EBADMSG` altered, anything else: not readable. */
  readonly code: ErrnoName
  /** Why, in words. */
  readonly message: string
}

/**
 * What is wrong with a key. Of a value or a directory whose blobs cannot be had, the last blob says whether it is
 * missing, altered or unreadable; for the rest see {@link TreeErrorKind}.
 */
export type DamageKind =
  | `${'missing' | 'altered' | 'unreadable'}-${'value' | 'dir'}`
  | Exclude<TreeErrorKind, 'missing-value' | 'missing-dir'>

/** A key that is damaged. */
export interface Damage {
  readonly kind: DamageKind
  /** None for the root. */
  readonly components: readonly string[]
  /** Those that its tree object names. */
  readonly blobrefs: readonly string[]
  readonly badBlobs: readonly BadBlob[]
}

/** What is wrong, of a blob that a store does not give. */
export function badBlob({ index, error: { blobref, code, message } }: BadPart): BadBlob {
  return { index, blobref, code, message }
}

/** What is wrong with a blob, in a word. */
export function blobState({ code }: { code: ErrnoName }): 'missing' | 'altered' | 'unreadable' {
  return code === 'ENOENT' ? 'missing' : code === 'EBADMSG' ? 'altered' : 'unreadable'
}

/** What a damage has struck: the blobs of a value or a directory, or undefined where none is at fault. */
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

/** The kind of a value or directory whose blobs cannot be had. */
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
 * What `flux fsck` says of a damage, and in its manner of what only we find.
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
