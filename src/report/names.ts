/**
 * How a report names users, jobs, hosts and the like: as they are, or, in a report that leaves the house, by tokens. A
 * token is the same for the same name as long as the key is the same. It is a keyed hash (HMAC), so nobody without the
 * key can find a name by trying names.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { startOf } from '../errors/index.ts'
import { PRIMARY_NAMESPACE } from '../kvs/index.ts'
import { Hostlist, Idset } from '../resource/index.ts'

/** Names in a report are cut to so many characters. Any user can choose the name of a job, of any length. */
const LONGEST = 200

/** Lists of hosts and of ranks are cut to so many characters. */
const LONGEST_HOSTS = 2000

/** More tokens than this are no help to anybody. */
const MOST_TOKENS = 8

/** Hexadecimal digits of a token: among a thousand names, two have the same with a chance of one in ten thousand. */
const DIGITS = 8

/** Components of keys that Flux chooses, and that tell nothing of users. */
const COMMON = new Set(
  'admin attr checkpoint content-sqlite eventlog exec file guest input J job job-exec job-manager jobspec kvs-namespaces lost+found output R resource stderr stdin stdout'.split(
    ' ',
  ),
)

const FOUR_DIGITS = /^[0-9a-f]{4}$/

/** How a report names things. */
export class Names {
  readonly redacted: boolean
  readonly #key: Uint8Array | undefined

  /** @param key - make tokens with this key; undefined to leave names as they are */
  constructor(key?: Uint8Array | undefined) {
    this.redacted = key !== undefined
    this.#key = key
  }

  /** Tokens with a key that nobody knows: they are the same within one report only. */
  static withAnyKey(): Names {
    return new Names(randomBytes(32))
  }

  user(name: string): string {
    return this.#named('user', name)
  }

  job(name: string): string {
    return this.#named('job', name)
  }

  host(name: string): string {
    return this.#named('host', name)
  }

  /** Names of nodes, in their order: as a hostlist. */
  hosts(names: readonly string[]): string {
    if (this.#key === undefined) return cut(Hostlist.of(names).toString(), LONGEST_HOSTS)
    if (names.length > MOST_TOKENS) return `${names.length} hosts`
    return names.map((name) => this.host(name)).join(',')
  }

  /** Ranks of nodes: as an idset, which is cut after a whole range. */
  ranks(ids: readonly number[]): string {
    const text = Idset.of(ids).toString()
    return text.length <= LONGEST_HOSTS ? text : `${text.slice(0, text.lastIndexOf(',', LONGEST_HOSTS - 2))},…`
  }

  /** A reason of a drain. */
  reason(text: string): string {
    return this.#named('reason', text)
  }

  /** A path or URI. */
  source(text: string): string {
    return this.#named('source', text)
  }

  /** A version of Flux, as an eventlog has it. */
  version(text: string): string {
    return /^[\w.+~-]{1,60}$/.test(text) ? text : this.#named('version', text)
  }

  /** A namespace. Those of Flux and of its jobs are not replaced. */
  namespace(name: string): string {
    return name === PRIMARY_NAMESPACE || /^job-\d+$/.test(name) ? name : this.#named('namespace', name)
  }

  /** A queue or bank. These are not replaced. */
  group(name: string): string {
    return cut(name)
  }

  /**
   * A message about something that cannot be read.
   *
   * @param kind - one or two words that say what it is about, and name nothing
   */
  message(text: string, kind: string): string {
    return this.redacted ? kind : cut(text, LONGEST * 2)
  }

  /** A key. In a redacted one, each component that Flux has not chosen is a token. */
  key(key: string): string {
    if (!this.redacted || key === '.') return cut(key)
    const components = key.split('.')
    return cut(components.map((component, i) => this.#component(component, components, i)).join('.'))
  }

  #component(component: string, key: readonly string[], at: number): string {
    if (COMMON.has(component) || component === '') return component
    // The directory of a job: its id, which is no secret.
    if (at > 0 && at < 5 && key[0] === 'job' && FOUR_DIGITS.test(component)) return component
    return this.#named('key', component)
  }

  #named(kind: string, name: string): string {
    if (this.#key === undefined) return cut(name)
    const digest = createHmac('sha256', this.#key).update(`${kind}\0${name}`).digest('hex')
    return `${kind}-${digest.slice(0, DIGITS)}`
  }
}

/** Cut a text that is too long, not within a character. */
function cut(text: string, length = LONGEST): string {
  return text.length <= length ? text : `${startOf(text, length - 1)}…`
}
