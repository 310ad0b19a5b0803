/** Trees from literals, and the content stores they are kept in. */
import { hash as digestHex } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import lz4 from 'lz4-napi'
import type { BlobResult, Checkpoint, ContentStore, HashName, StoreOnDisk } from '../../src/content/index.ts'
import { ContentError } from '../../src/content/index.ts'
import type { Gate } from './gate.ts'

export interface Obj {
  data: unknown
  type: string
  ver: number
}

/** What stands for a tree object in a literal: an object as it is, or something that needs a blob of its own. */
export type Tree = Obj | { blobs: (string | Uint8Array)[] } | { entries: Record<string, Tree> }

export const val = (text: string): Tree => ({ data: Buffer.from(text).toString('base64'), type: 'val', ver: 1 })
export const valref = (...blobs: (string | Uint8Array)[]): Tree => ({ blobs })
export const dir = (entries: Record<string, Tree>): Tree => ({ entries })
export const symlink = (target: string, namespace?: string): Tree => ({
  data: namespace === undefined ? { target } : { namespace, target },
  type: 'symlink',
  ver: 1,
})
/** A tree object as it is, however wrong. */
export const raw = (type: string, data: unknown, ver = 1): Tree => ({ data, type, ver })

/** Blobs by their blobref. */
export class Blobs extends Map<string, Uint8Array> {
  readonly hash: HashName
  constructor(hash: HashName = 'sha1') {
    super()
    this.hash = hash
  }

  store(blob: string | Uint8Array): string {
    const bytes = Buffer.from(blob)
    const blobref = `${this.hash}-${digestHex(this.hash, bytes, 'hex')}`
    this.set(blobref, bytes)
    return blobref
  }

  /** Store a tree whose directories are blobs of their own, as Flux writes it. @returns the rootref */
  tree(entries: Record<string, Tree>): string {
    return (this.#obj(dir(entries)).data as string[])[0] as string
  }

  #obj(tree: Tree): Obj {
    if ('blobs' in tree) return { data: tree.blobs.map((blob) => this.store(blob)), type: 'valref', ver: 1 }
    if (!('entries' in tree)) return tree
    return { data: [this.store(this.dirText(tree.entries))], type: 'dirref', ver: 1 }
  }

  /** The text of a directory object. Written by hand, since an object literal would reorder names and lose `__proto__`. */
  dirText(entries: Record<string, Tree>): string {
    const names = Object.keys(entries).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const members = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(this.#obj(entries[name] as Tree))}`)
    return `{"data":{${members.join(',')}},"type":"dir","ver":1}`
  }
}

/** A store in memory that answers late and out of order, as told. */
export class MemoryStore implements ContentStore {
  readonly name = 'memory'
  readonly hash: HashName
  window = 16
  /** Blobrefs asked for, in order. */
  readonly asked: string[] = []
  largestBatch = 0
  inFlight = 0
  mostInFlight = 0
  /** How long a batch takes, in turns of the event loop. */
  delay: () => number = () => 0
  /** Where each batch waits before it is answered. */
  gate: Gate | undefined
  readonly #underWay = new Set<Promise<unknown>>()
  /** Leaves out what goes beyond the budget, as a store on disk does. */
  obeyBudget = false
  failure: Error | undefined
  readonly #blobs: Blobs

  constructor(blobs: Blobs) {
    this.#blobs = blobs
    this.hash = blobs.hash
  }

  /** Settles when nothing is under way, and what comes after has had its turn. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay])
    // A store that does not wait for anything has answered, and is asked again, before the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#underWay.size > 0) await this.idle()
  }

  loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const loading = this.#load(blobrefs, budgetBytes)
    this.#underWay.add(loading)
    const done = () => void this.#underWay.delete(loading)
    loading.then(done, done)
    return loading
  }

  async #load(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    this.asked.push(...blobrefs)
    this.largestBatch = Math.max(this.largestBatch, blobrefs.length)
    this.inFlight += blobrefs.length
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
    for (let turns = this.delay(); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    await this.gate?.pass()
    this.inFlight -= blobrefs.length
    if (this.failure) throw this.failure
    let left = budgetBytes
    // The last first: a store promises to give one, not which.
    const results: BlobResult[] = new Array(blobrefs.length)
    for (let i = blobrefs.length - 1; i >= 0; i--) {
      const blobref = blobrefs[i] as string
      const blob = this.#blobs.get(blobref)
      const any = i < blobrefs.length - 1
      if (blob === undefined) results[i] = new ContentError('ENOENT', blobref, 'No such file or directory')
      else if (this.obeyBudget && any && left <= 0) results[i] = undefined
      else results[i] = blob
      left -= blob?.length ?? 0
    }
    return results
  }

  async checkBatch(blobrefs: readonly string[]): Promise<(ContentError | undefined)[]> {
    const results = await this.loadBatch(blobrefs, Number.POSITIVE_INFINITY)
    return results.map((result) => (result instanceof ContentError ? result : undefined))
  }

  async checkpoints(): Promise<Checkpoint[]> {
    return []
  }
  async assertUnchanged(): Promise<void> {}
  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The same store, as one that can do some of what a store on disk can. */
export function onDisk<S extends MemoryStore>(store: S, facet: Partial<StoreOnDisk>): S & { onDisk: StoreOnDisk } {
  return Object.assign(store, { onDisk: facet as StoreOnDisk })
}

/** The blobrefs of SHA-1 digests that follow one another. */
export function blobrefsOf(digests: Uint8Array): string[] {
  const hex = Buffer.from(digests).toString('hex')
  return Array.from({ length: hex.length / 40 }, (_, i) => `sha1-${hex.slice(i * 40, (i + 1) * 40)}`)
}

/** Write blobs and checkpoints (newest first) to a `content.sqlite` as the content-sqlite module does. */
export function writeSqlite(path: string, blobs: Blobs, rootrefs: readonly string[], journal = 'DELETE'): void {
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA journal_mode=${journal}`)
  db.exec('CREATE TABLE objects( hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0)')
  db.exec('CREATE TABLE checkpt_v2( id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)')
  insertBlobs(db, blobs)
  const put = db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)')
  rootrefs.toReversed().forEach((rootref, i) => {
    put.run(`{"version":1,"rootref":"${rootref}","sequence":${i + 1},"timestamp":${1_700_000_000 + i}.5}`)
  })
  db.close()
}

export function insertBlobs(db: DatabaseSync, blobs: Blobs): void {
  const insert = db.prepare('INSERT OR IGNORE INTO objects (hash,size,object) VALUES (CAST(? AS TEXT),?,?)')
  db.exec('BEGIN')
  for (const [blobref, blob] of blobs) {
    const digest = Buffer.from(blobref.slice(blobref.indexOf('-') + 1), 'hex')
    if (blob.length < 256) insert.run(digest, -1, blob)
    else insert.run(digest, blob.length, lz4.compressSync(Buffer.from(blob)).subarray(4))
  }
  db.exec('COMMIT')
}
