/** Compares the values and symbolic links of two trees, many at a time. */
import { createHash } from 'node:crypto'
import { blobrefHash, blobrefOf, ContentError, type ContentStore } from '../../content/index.ts'
import {
  decodeInline,
  missingValue,
  type Symlink,
  streamValue,
  TreeError,
  type Val,
  type Valref,
} from '../../kvs/index.ts'
import { withoutPadding } from '../inline-value.ts'
import { valueSizes } from '../value-sizes.ts'
import type { Change, KeyContent, Leaf, LeafPair } from './change.ts'

type Value = Val | Valref

/** Bytes of one side that are compared in memory at a time. Values beyond this are compared one by one, as streams. */
const BUDGET_BYTES = 16 << 20

type Report = (error: TreeError) => void

/** A pair whose bytes must be compared, without the blobs that both sides have in common at the start and the end. */
interface Undecided {
  readonly pair: LeafPair
  readonly a: Value
  readonly b: Value
}

/**
 * Compare the two sides of each pair, and set its `change`.
 *
 * @param report - called with the error for each value that cannot be read; its pair counts as unchanged
 */
export async function settleLeaves(
  storeA: ContentStore,
  storeB: ContentStore,
  pairs: readonly LeafPair[],
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  const undecided: Undecided[] = []
  const different: LeafPair[] = []
  for (const pair of pairs) {
    const verdict = compare(pair)
    if (verdict === 'same') pair.change = null
    else if (verdict === 'different') different.push(pair)
    else undecided.push(verdict)
  }
  for (const { pair } of await compareBytes(storeA, storeB, undecided, report, signal)) different.push(pair)
  const [sizesA, sizesB] = await Promise.all([
    valueSizes(
      storeA,
      different.map(({ key, a }) => ({ key, obj: a })),
      report,
    ),
    valueSizes(
      storeB,
      different.map(({ key, b }) => ({ key, obj: b })),
      report,
    ),
  ])
  for (const [i, pair] of different.entries()) pair.change = changeOf(pair, sizesA[i], sizesB[i])
}

function changeOf({ key, a, b }: LeafPair, sizeA: number | undefined, sizeB: number | undefined): Change | null {
  // valueSizes() has reported it.
  if (sizeA === -1 || sizeB === -1) return null
  const change = a === undefined ? 'added' : b === undefined ? 'removed' : 'changed'
  return { key, change, before: heldBy(a, sizeA), after: heldBy(b, sizeB) }
}

function heldBy(leaf: Leaf | undefined, size: number | undefined): KeyContent | undefined {
  if (leaf === undefined) return undefined
  if (leaf.type === 'symlink') return { type: 'symlink', target: leaf.data.target, namespace: leaf.data.namespace }
  return { type: 'value', size: size as number, obj: leaf }
}

/** Compare a pair by its tree objects alone, as far as that is possible. */
function compare(pair: LeafPair): 'same' | 'different' | Undecided {
  const { a, b } = pair
  if (a === undefined || b === undefined) return 'different'
  if (a.type === 'symlink' || b.type === 'symlink') {
    const isSame =
      a.type === b.type &&
      (a as Symlink).data.target === (b as Symlink).data.target &&
      (a as Symlink).data.namespace === (b as Symlink).data.namespace
    return isSame ? 'same' : 'different'
  }
  if (a.type === 'val' && b.type === 'val') {
    return withoutPadding(a.data) === withoutPadding(b.data) ? 'same' : 'different'
  }
  if (a.type === 'valref' && b.type === 'valref') return compareRefs(pair, a.data, b.data)
  return { pair, a, b }
}

function compareRefs(pair: LeafPair, a: readonly string[], b: readonly string[]): 'same' | 'different' | Undecided {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  if (restA.length === 0 && restB.length === 0) return 'same'
  if (restA.length === 0 || restB.length === 0) return [...restA, ...restB].every(isEmptyBlob) ? 'same' : 'different'
  const oneHash = blobrefHash(restA[0] as string) === blobrefHash(restB[0] as string)
  if (restA.length === 1 && restB.length === 1 && oneHash) return 'different'
  return { pair, a: valref(restA), b: valref(restB) }
}

const EMPTY_BLOBS: ReadonlySet<string> = new Set(
  (['sha1', 'sha256'] as const).map((hash) => blobrefOf(hash, Buffer.of())),
)

function isEmptyBlob(blobref: string): boolean {
  return EMPTY_BLOBS.has(blobref)
}

function valref(data: readonly string[]): Valref {
  return { type: 'valref', ver: 1, data }
}

/** @returns the pairs that differ */
async function compareBytes(
  storeA: ContentStore,
  storeB: ContentStore,
  undecided: readonly Undecided[],
  report: Report,
  signal: AbortSignal | undefined,
): Promise<Undecided[]> {
  if (undecided.length === 0) return []
  // The blobref of a one-blob value tells its digest, so only the other side must be read.
  const toLoad = (obj: Value, key: string, other: Value, first: boolean) =>
    isOneBlob(obj) && (first ? !isOneBlob(other) : true) ? undefined : { key, obj }
  const [bytesA, bytesB] = await Promise.all([
    joined(
      storeA,
      undecided.map(({ pair, a, b }) => toLoad(a, pair.key, b, true)),
      report,
    ),
    joined(
      storeB,
      undecided.map(({ pair, a, b }) => toLoad(b, pair.key, a, false)),
      report,
    ),
  ])
  const different: Undecided[] = []
  for (const [i, each] of undecided.entries()) {
    const [a, b] = [bytesA[i], bytesB[i]]
    if (a === 'unreadable' || b === 'unreadable') {
      each.pair.change = null
      continue
    }
    let same: boolean
    if (a === 'large' || b === 'large') same = await compareStreams(storeA, storeB, each, report, signal)
    else if (a && b) same = Buffer.compare(a, b) === 0
    else if (a) same = isBlob(each.b, a)
    else same = isBlob(each.a, b as Uint8Array)
    if (same) each.pair.change = null
    else different.push(each)
  }
  return different
}

function isOneBlob(value: Value): boolean {
  return value.type === 'valref' && value.data.length === 1
}

/** True when a one-blob value has these bytes. */
function isBlob(value: Value, bytes: Uint8Array): boolean {
  const blobref = value.data[0] as string
  return blobrefOf(blobrefHash(blobref), bytes) === blobref
}

/** The bytes of values, loaded in one batch; `large` for those that exceed the budget. */
async function joined(
  store: ContentStore,
  values: readonly ({ key: string; obj: Value } | undefined)[],
  report: Report,
): Promise<(Uint8Array | 'large' | 'unreadable' | undefined)[]> {
  const blobrefs = values.flatMap((value) => (value?.obj.type === 'valref' ? value.obj.data : []))
  const results = blobrefs.length > 0 ? await store.loadBatch(blobrefs, BUDGET_BYTES) : []
  let next = 0
  return values.map((value) => {
    if (value === undefined) return undefined
    const { key, obj } = value
    try {
      if (obj.type === 'val') return decodeInline(obj, () => key)
      const from = next
      next += obj.data.length
      const parts = results.slice(from, next)
      const bad = parts.findIndex((part) => part instanceof ContentError)
      if (bad >= 0) throw missingValue(key, bad, parts[bad] as ContentError)
      return parts.includes(undefined) ? 'large' : Buffer.concat(parts as Uint8Array[])
    } catch (error) {
      if (!(error instanceof TreeError)) throw error
      report(error)
      return 'unreadable'
    }
  })
}

async function compareStreams(
  storeA: ContentStore,
  storeB: ContentStore,
  { pair, a, b }: Undecided,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const digest = async (store: ContentStore, value: Value): Promise<string> => {
    const hash = createHash('sha256')
    if (value.type === 'val') hash.update(decodeInline(value, () => pair.key))
    else
      for await (const parts of streamValue(store, pair.key, value.data, signal))
        for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }
  try {
    return (await digest(storeA, a)) === (await digest(storeB, b))
  } catch (error) {
    if (!(error instanceof TreeError)) throw error
    report(error)
    return true
  }
}
