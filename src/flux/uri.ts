import { FluxError, printable } from '../errors/index.ts'

/** Where the system instance listens, when its rundir is what flux-core is built with by default. */
export const DEFAULT_URI = 'local:///run/flux/local'

/** A URI, taken apart. `text` is the whole of it, for messages. */
export type FluxUri =
  | { readonly scheme: 'local'; readonly text: string; readonly path: string }
  | {
      readonly scheme: 'ssh'
      readonly text: string
      readonly user: string | undefined
      readonly host: string
      readonly port: number | undefined
      /** Of the socket on the far side, with a leading slash. */
      readonly path: string
    }

/**
 * The URI to open when none was given: `FLUX_URI`, else the system instance's.
 *
 * A `FLUX_URI` that is set but empty counts, as in `flux_open(3)`, and does not parse.
 */
export function defaultUri(env: NodeJS.ProcessEnv): string {
  return env.FLUX_URI ?? DEFAULT_URI
}

/**
 * How many levels up an argument points: `/` is the root instance, `.` the enclosing one, `..` its parent, `../..`.
 *
 * @returns Infinity for `/`; undefined for an ordinary URI
 * @throws {FluxError} `EINVAL` when it begins like one of those, and is none
 * @see flux-core `src/common/libflux/handle.c`, `resolve_path_uri`
 */
export function ancestorLevels(uri: string): number | undefined {
  if (uri === '/') return Number.POSITIVE_INFINITY
  if (uri.startsWith('/')) {
    throw new FluxError('EINVAL', `${uri}: not a URI`, { hint: `a socket is given as local://${uri}` })
  }
  if (!uri.startsWith('.')) return undefined
  let levels = 0
  for (const element of uri.split('/')) {
    if (element === '..') levels++
    else if (element !== '.' && element !== '') {
      throw new FluxError('EINVAL', `${uri}: not a URI: ${element} is neither . nor ..`, {
        hint: 'a path as URI is /, ., .. or ../.., and so on: the root, the enclosing instance, and those around it',
      })
    }
  }
  return levels
}

/**
 * Take a URI apart.
 *
 * @throws {FluxError} `ENOENT` no scheme, or one that is not known; `EINVAL` the rest is malformed
 */
export function parseUri(text: string): FluxUri {
  const colon = text.indexOf('://')
  if (colon < 0) {
    throw new FluxError('ENOENT', text === '' ? 'the URI is empty' : `${text}: not a URI`, {
      hint: text === '' ? 'is FLUX_URI set to nothing? unset it to reach the system instance' : SCHEMES,
    })
  }
  const scheme = text.slice(0, colon)
  const rest = text.slice(colon + 3).replace(/[ \t]+$/, '')
  if (scheme === 'local') return parseLocal(text, rest)
  if (scheme === 'ssh') return parseSsh(text, rest)
  throw new FluxError('ENOENT', `${text}: unknown scheme ${scheme}`, { hint: SCHEMES })
}

const SCHEMES = 'a URI is local:///path/of/socket or ssh://[user@]host[:port]/path/of/socket'

/**
 * Check what is to be given to {@link Flux.open}: a URI, or a way up from the enclosing instance.
 *
 * @throws as {@link parseUri}, and {@link ancestorLevels}
 */
export function checkUri(text: string): void {
  if (ancestorLevels(text) === undefined) parseUri(text)
}

/** Room for the path in `struct sockaddr_un`, of which the last byte is a NUL. */
const SUN_PATH_BYTES = 108

function parseLocal(text: string, path: string): FluxUri {
  if (path === '') throw new FluxError('EINVAL', `${text}: no path of a socket`, { hint: SCHEMES })
  const length = Buffer.byteLength(path)
  if (length >= SUN_PATH_BYTES) {
    throw new FluxError('EINVAL', `${text}: the path has ${length} bytes, a socket's can have ${SUN_PATH_BYTES - 1}`, {
      hint: 'a symbolic link to its directory makes it shorter',
    })
  }
  return { scheme: 'local', text, path }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** What shells make something of. */
const SHELL = /[\s'"`$;&<>|(){}*!~]/

function parseSsh(text: string, rest: string): FluxUri {
  const invalid = (why: string) => new FluxError('EINVAL', `${printable(text)}: ${why}`, { hint: SCHEMES })
  if (/[?#]/.test(rest)) throw invalid('a query or fragment has no meaning here')
  if (CONTROL.test(rest)) throw invalid('control characters have no place in it')
  const slash = rest.indexOf('/')
  if (slash < 0 || slash === rest.length - 1) throw invalid('no path of a socket')
  const authority = rest.slice(0, slash)
  const at = authority.indexOf('@')
  // ssh has no place for a password; the C connector drops it too.
  const user = at < 0 ? undefined : authority.slice(0, at).replace(/:.*$/, '')
  if (user === '') throw invalid('no user before the @')
  const hostPort = authority.slice(at + 1)
  const colon = hostPort.indexOf(':')
  const host = colon < 0 ? hostPort : hostPort.slice(0, colon)
  if (host === '') throw invalid('no host')
  // ssh would take either as an option of its own.
  if (user?.startsWith('-') || host.startsWith('-')) throw invalid('neither user nor host can begin with -')
  // ssh may hand them to a shell, by a ProxyCommand; newer versions refuse these too.
  if (SHELL.test(user ?? '') || SHELL.test(host)) throw invalid('a character that no name of a user or host has')
  let port: number | undefined
  if (colon >= 0) {
    port = Number(hostPort.slice(colon + 1))
    if (!/^:\d+$/.test(hostPort.slice(colon)) || port < 1 || port > 65535) throw invalid('not a port number')
  }
  return { scheme: 'ssh', text, user, host, port, path: rest.slice(slash) }
}
