import { hash } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { lz4DecodeBlock } from '../../src/bytes/index.ts'
import { decodeJson, encodeJson, type JsonObject, type JsonValue } from '../../src/flux/index.ts'
import { LOOKUP_FLAG, lookup, streamed } from './broker-double-kvs.ts'

/** A response without its envelope. */
export interface Answer {
  errnum?: number
  text?: string
  payload?: Uint8Array
}

export interface Namespace {
  rootref: string
  rootseq?: number
  owner?: number
}

/** What an instance has in it. */
export interface InstanceOptions {
  /** A `content.sqlite`, opened read-only; or blobs by the hexadecimal digest. */
  content?: string | Map<string, Uint8Array>
  /** Blobs that the cache has and the backing store has not, by the hexadecimal digest. */
  cached?: Map<string, Uint8Array>
  /** Over the defaults: rank 0, size 1, content.hash sha1, version, instance-level 0. Undefined takes one away. */
  attributes?: Record<string, string | undefined>
  namespaces?: Record<string, Namespace>
  /** Newest first; those of the database when left out. */
  checkpoints?: JsonObject[]
  /** Answer checkpoint-get as v0.43 to v0.76 did: one object, for a `key`. */
  oldCheckpoints?: boolean
  /** Services that are not loaded: `kvs`, `content`, `content-backing`. */
  unloaded?: readonly string[]
}

/** Texts of the broker for services that it does not know end here. */
const TEXT_CHARACTERS = 63

export class Services {
  /** What the modules have written to the broker's log. */
  readonly log: string[] = []
  readonly #options: InstanceOptions
  readonly #attributes: Record<string, string | undefined>
  readonly #db: DatabaseSync | undefined
  readonly #byHash: StatementSync | undefined
  /** What clients have stored, by the hexadecimal digest. */
  readonly #stored = new Map<string, Uint8Array>()
  /** Checkpoints that clients have put, the newest first. */
  readonly #put: JsonObject[] = []

  constructor(options: InstanceOptions) {
    this.#options = options
    this.#attributes = {
      rank: '0',
      size: '1',
      'content.hash': 'sha1',
      version: '0.88.0',
      'instance-level': '0',
      'content.backing-module': options.unloaded?.includes('content-backing') ? undefined : 'content-sqlite',
      ...options.attributes,
    }
    if (typeof options.content !== 'string') return
    // Immutable, so that SQLite makes no files beside a fixture.
    this.#db = new DatabaseSync(`${pathToFileURL(options.content).href}?immutable=1`, { readOnly: true })
    // The hash column has text storage, whatever its bytes are.
    this.#byHash = this.#db.prepare(
      'SELECT size, CAST(object AS BLOB) AS object FROM objects WHERE hash = CAST(? AS TEXT)',
    )
  }

  close(): void {
    this.#db?.close()
  }

  /** The answers to a request: many, of a stream; it goes on, if it is a watch. */
  answers(request: { topic: string; payload: Uint8Array }): Answer[] {
    const answer = this.answer(request)
    if (request.topic !== 'kvs-watch.lookup' || answer.payload === undefined) return [answer]
    return streamed(answer, decodeJson(request.payload, request.topic), (hex) => this.#blob(hex))
  }

  /** Set the root of a namespace. */
  commit(namespace: string, rootref: string): void {
    const { namespaces = {} } = this.#options
    const { rootseq = 0, ...rest } = namespaces[namespace] ?? {}
    namespaces[namespace] = { ...rest, rootref, rootseq: rootseq + 1 }
  }

  /** What a watch is told after a commit. @param before - what it would have been told at first, before that */
  changes(request: { topic: string; payload: Uint8Array }, before: readonly Answer[]): Answer[] {
    const now = this.answers(request)
    const isSame = before.length === now.length && before.every(({ payload }, i) => equal(payload, now[i]?.payload))
    if (isSame) return []
    const asked = decodeJson(request.payload, request.topic)
    const isAppend = (Number(asked.flags) & LOOKUP_FLAG.append) !== 0 && before[0]?.payload !== undefined
    if (!isAppend || now[0]?.errnum === 2) return now
    const stored = this.#lookup({ ...asked, flags: LOOKUP_FLAG.treeobj })
    const isValref = Buffer.from(stored.payload ?? []).includes('"type":"valref"')
    return isValref
      ? now.slice(before.length)
      : [{ errnum: 22, text: 'value of key watched with WATCH_APPEND overwritten' }]
  }

  /** The answer to a request that has one answer. */
  answer({ topic, payload }: { topic: string; payload: Uint8Array }): Answer {
    const service = topic.slice(0, topic.lastIndexOf('.'))
    if (this.#options.unloaded?.includes(service)) return unknown(topic)
    switch (topic) {
      case 'attr.get':
        return this.#attrGet(payload)
      case 'attr.list':
        return json({ names: Object.keys(this.#attributes).filter((name) => this.#attributes[name] !== undefined) })
      case 'kvs.getroot':
        return this.#getroot(payload)
      case 'kvs.lookup':
      case 'kvs-watch.lookup':
        return this.#lookup(decodeJson(payload, topic))
      case 'kvs.wait-version':
        return this.#waitVersion(payload)
      case 'kvs.namespace-list':
        return json({
          namespaces: Object.entries(this.#options.namespaces ?? {}).map(([namespace, { owner = 0 }]) => ({
            namespace,
            owner,
            flags: 0,
          })),
        })
      case 'content.load':
        return this.#cached(payload) ?? this.#loadByCache(payload)
      case 'content-backing.load':
        return this.#load(payload)
      case 'content-backing.validate': {
        const { errnum } = this.#load(payload)
        return errnum === undefined ? {} : { errnum }
      }
      case 'content.stats-get':
        return json({ count: 3, valid: 2, dirty: 1, size: 300 })
      case 'content-sqlite.stats-get':
        return json({ object_count: 7, dbfile_size: 4096 })
      case 'content.store':
      case 'content-backing.store':
        return this.#store(payload)
      case 'content.flush':
        return {}
      case 'content-backing.checkpoint-put':
      case 'content.checkpoint-put':
        if (this.#options.unloaded?.includes('content-backing')) {
          return { errnum: 38, text: 'checkpoint put unavailable, no backing store' }
        }
        this.#put.unshift(decodeJson(payload, topic).value as JsonObject)
        return {}
      case 'kvs.commit':
        return json({ rootref: `sha1-${'0'.repeat(40)}`, rootseq: 2 })
      case 'content.checkpoint-get':
        if (this.#options.unloaded?.includes('content-backing')) {
          return { errnum: 38, text: 'checkpoint get unavailable, no backing store' }
        }
        return this.#checkpointGet(payload)
      case 'content-backing.checkpoint-get':
        return this.#checkpointGet(payload)
      default:
        return unknown(topic)
    }
  }

  #lookup(request: JsonObject): Answer {
    const log = (line: string) => this.log.push(line)
    return lookup(request, this.#options.namespaces ?? {}, (hex) => this.#blob(hex), log)
  }

  #attrGet(payload: Uint8Array): Answer {
    const { name } = decodeJson(payload, 'attr.get')
    const value = this.#attributes[String(name)]
    return value === undefined ? { errnum: 2 } : json({ value, flags: 1 })
  }

  #getroot(payload: Uint8Array): Answer {
    const { namespace } = decodeJson(payload, 'kvs.getroot')
    if (typeof namespace !== 'string') return { errnum: 71 }
    const found = this.#options.namespaces?.[namespace]
    if (!found) return { errnum: 95 }
    const { rootref, rootseq = 1, owner = 0 } = found
    return json({ owner, rootseq, rootref, flags: 0, namespace })
  }

  #load(digest: Uint8Array, text?: string): Answer {
    if (digest.length !== (this.#attributes['content.hash'] === 'sha256' ? 32 : 20)) return { errnum: 71 }
    const payload = this.#blob(Buffer.from(digest).toString('hex'))
    if (payload) return { payload }
    return text === undefined ? { errnum: 2 } : { errnum: 2, text }
  }

  #cached(digest: Uint8Array): Answer | undefined {
    const payload = this.#options.cached?.get(Buffer.from(digest).toString('hex'))
    return payload && { payload }
  }

  /** Without a backing store, what is not cached is missing: whether it was lost or never there. */
  #loadByCache(digest: Uint8Array): Answer {
    const text = 'No such file or directory'
    return this.#options.unloaded?.includes('content-backing') ? { errnum: 2, text } : this.#load(digest, text)
  }

  #blob(hex: string): Uint8Array | undefined {
    const { content } = this.#options
    return this.#stored.get(hex) ?? (content instanceof Map ? content.get(hex) : this.#loadRow(Buffer.from(hex, 'hex')))
  }

  /** It does not wait: what is not there yet never comes. */
  #waitVersion(payload: Uint8Array): Answer {
    const { namespace, rootseq: wanted } = decodeJson(payload, 'kvs.wait-version')
    const found = this.#options.namespaces?.[String(namespace)]
    if (!found) return { errnum: 95 }
    const { rootref, rootseq = 1 } = found
    return rootseq >= Number(wanted) ? json({ rootref, rootseq }) : { errnum: 110 }
  }

  #store(blob: Uint8Array): Answer {
    const digest = hash(this.#attributes['content.hash'] ?? 'sha1', blob, 'buffer')
    this.#stored.set(digest.toString('hex'), blob.slice())
    return { payload: digest }
  }

  #loadRow(digest: Buffer): Uint8Array | undefined {
    const row = this.#byHash?.get(digest)
    if (!row) return undefined
    const { size, object } = row
    const stored = object instanceof Uint8Array ? object : new Uint8Array()
    if (typeof size !== 'number' || size < 0) return stored
    const blob = new Uint8Array(size)
    if (!lz4DecodeBlock(stored, 0, stored.length, blob, 0, size)) throw new Error('a damaged blob in the fixture')
    return blob
  }

  #checkpointGet(payload: Uint8Array): Answer {
    const { oldCheckpoints } = this.#options
    const key = decodeJson(payload, 'checkpoint-get').key as JsonValue | undefined
    if (oldCheckpoints && key === undefined) return { errnum: 71 }
    const checkpoints = [...this.#put, ...(this.#options.checkpoints ?? this.#storedCheckpoints())]
    const [newest] = checkpoints
    if (newest === undefined) return { errnum: 2 }
    return json({ value: oldCheckpoints ? newest : checkpoints })
  }

  #storedCheckpoints(): JsonObject[] {
    if (!this.#db) return []
    const tables = this.#db.prepare(`SELECT name FROM sqlite_master WHERE name = 'checkpt_v2'`).all()
    const query = tables.length > 0 ? 'SELECT value FROM checkpt_v2 ORDER BY id DESC' : 'SELECT value FROM checkpt'
    const rows = this.#db.prepare(query).all()
    return rows.map(({ value }) =>
      JSON.parse(value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)),
    )
  }
}

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return Buffer.compare(a ?? Buffer.alloc(0), b ?? Buffer.alloc(0)) === 0
}

function json(object: JsonObject): Answer {
  return { payload: encodeJson(object) }
}

function unknown(topic: string): Answer {
  return { errnum: 38, text: `No service matching ${topic} is registered`.slice(0, TEXT_CHARACTERS) }
}
