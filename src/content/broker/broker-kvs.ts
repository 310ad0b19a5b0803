import { errnoText, FluxError, printable } from '../../errors/index.ts'
import {
  decodeJson,
  encodeJson,
  type Flux,
  type JsonObject,
  RpcError,
  RpcFailure,
  type RpcOptions,
  type SilenceRule,
} from '../../flux/index.ts'
import { type KvsLookup, type KvsNamespace, type KvsService, LOOKUP, type NamespaceRoot } from '../kvs-service.ts'
import type { ReadCounts } from '../read-counts.ts'
import { fetchError } from './instance.ts'

/** Flags of lookups that the kvs-watch module answers. */
const WATCHING = LOOKUP.WATCH | LOOKUP.WAITCREATE | LOOKUP.STREAM

/** The KVS of a live instance, as its modules `kvs` and `kvs-watch` serve it. */
export class BrokerKvs implements KvsService {
  readonly #flux: Flux
  readonly #counts: ReadCounts

  /** @param counts - `keys` counts the answers */
  constructor(flux: Flux, counts: ReadCounts) {
    this.#flux = flux
    this.#counts = counts
  }

  async lookup(request: KvsLookup, signal?: AbortSignal): Promise<unknown> {
    const topic = request.flags & WATCHING ? 'kvs-watch.lookup' : 'kvs.lookup'
    const silence = silenceOf(request)
    const answer = await this.#flux.rpc(topic, payloadOf(request), { signal, silence }).catch((error) => {
      throw lookupFailure(error, request)
    })
    return answerOf(answer, topic)
  }

  async lookupBatch(requests: readonly KvsLookup[], signal?: AbortSignal): Promise<(unknown | FluxError)[]> {
    const topic = 'kvs.lookup'
    const payloads = requests.map((request) => encodeJson(payloadOf(request)))
    const { results } = await this.#flux.rpcBatch(topic, payloads, { signal })
    this.#counts.keys += requests.length
    return results.map((result, i) =>
      result instanceof RpcFailure
        ? lookupFailure(result.toError(topic, undefined), requests[i] as KvsLookup)
        : answerOf(decodeJson(result, topic), topic),
    )
  }

  async *lookupStream(request: KvsLookup, signal?: AbortSignal): AsyncGenerator<unknown, void, void> {
    const topic = 'kvs-watch.lookup'
    try {
      for await (const answer of this.#flux.rpcStream(topic, payloadOf(request), {
        signal,
        silence: silenceOf(request),
      })) {
        yield answerOf(answer, topic)
      }
    } catch (error) {
      throw lookupFailure(error, request)
    }
  }

  /** @see flux-core `src/modules/kvs/kvs.c`, `getroot_request_cb` */
  async root(namespace: string): Promise<NamespaceRoot & { readonly owner: number }> {
    const hints = {
      ENOSYS: 'the kvs module is not loaded: --checkpoint reads the newest checkpoint without it',
      ENOTSUP: `there is no namespace ${namespace}`,
    }
    const { rootref, rootseq, owner } = await this.#flux.rpc('kvs.getroot', { namespace, flags: 0 }).catch((error) => {
      throw fetchError(error, 'error fetching current KVS root', hints)
    })
    if (typeof rootref !== 'string' || !isSequence(rootseq) || typeof owner !== 'number') {
      throw new FluxError('EPROTO', `${this.#flux.uri}: the response of kvs.getroot lacks rootref, rootseq or owner`)
    }
    return { rootref, sequence: rootseq, owner: userid(owner) }
  }

  async namespaces(): Promise<KvsNamespace[]> {
    // Other ranks know only the namespaces that they have used.
    const { namespaces } = await this.#ask('kvs.namespace-list', undefined, { nodeid: 0 })
    if (!Array.isArray(namespaces) || !namespaces.every(isNamespace)) {
      throw new FluxError('EPROTO', `${this.#flux.uri}: the response of kvs.namespace-list lacks namespaces`)
    }
    return (namespaces as unknown as KvsNamespace[]).map(({ namespace, owner, flags }) => ({
      namespace,
      owner: userid(owner),
      flags,
    }))
  }

  async waitVersion(namespace: string, sequence: number, signal?: AbortSignal): Promise<NamespaceRoot> {
    const payload = { namespace, rootseq: sequence }
    const { rootref, rootseq } = await this.#ask('kvs.wait-version', payload, { signal, silence: 'allowed' })
    if (typeof rootref !== 'string' || !isSequence(rootseq)) {
      throw new FluxError('EPROTO', `${this.#flux.uri}: the response of kvs.wait-version lacks rootref or rootseq`)
    }
    return { rootref, sequence: rootseq }
  }

  async #ask(topic: string, payload: JsonObject | undefined, options: RpcOptions = {}): Promise<JsonObject> {
    return this.#flux.rpc(topic, payload, options).catch((error) => {
      throw error instanceof RpcError
        ? new FluxError(error.code, error.message, { cause: error, hint: hint(error) })
        : error
    })
  }
}

function payloadOf({ key, flags, namespace, rootdir }: KvsLookup): object {
  return rootdir === undefined ? { key, namespace, flags } : { key, rootdir, flags }
}

/** A lookup that waits for a change may wait long. */
function silenceOf({ flags }: KvsLookup): SilenceRule {
  return flags & (LOOKUP.WATCH | LOOKUP.WAITCREATE) ? 'allowed' : 'fails'
}

function answerOf({ val }: JsonObject, topic: string): unknown {
  if (val === undefined) throw new FluxError('EPROTO', `${topic}: the response lacks val`)
  return val
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isNamespace(value: unknown): value is KvsNamespace {
  const { namespace, owner, flags } = (value ?? {}) as Partial<KvsNamespace>
  return typeof namespace === 'string' && typeof owner === 'number' && typeof flags === 'number'
}

/** User ids come as signed numbers of 32 bits. */
function userid(owner: number): number {
  return owner >>> 0
}

/** The error in the words of `flux kvs`: the key, and the text of the errno. */
function lookupFailure(error: unknown, { key }: KvsLookup): FluxError {
  if (!(error instanceof RpcError)) return FluxError.fromSystem(error, key)
  const { code } = error
  return new FluxError(code, `${printable(key)}: ${errnoText(code)}`, { cause: error, hint: hint(error) ?? error.text })
}

function hint({ code, topic, text }: RpcError): string | undefined {
  if (code !== 'ENOSYS') return undefined
  const module = topic.slice(0, topic.indexOf('.'))
  const isUnloaded = text?.startsWith('No service')
  return isUnloaded
    ? `the ${module} module is not loaded: --checkpoint reads the newest checkpoint without it`
    : undefined
}
