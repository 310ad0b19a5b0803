import { FluxError, printable } from '../errors/index.ts'

/** The URI of the system instance, with the rundir that flux-core has by default. */
export const DEFAULT_URI = 'local:///run/flux/local'

/** A parsed URI. `text` is the whole URI, for messages. */
export type FluxUri =
  | { readonly scheme: 'local'; readonly text: string; readonly path: string }
  | {
      readonly scheme: 'ssh'
      readonly text: string
      readonly user: string | undefined
      readonly host: string
      readonly port: number | undefined
      /** The path of the socket on the other machine, with a leading slash. */
      readonly path: string
    }

/**
 * The URI to open when none was given: `FLUX_URI`, or else that of the system instance.
 *
 * An empty `FLUX_URI` is returned too, as in flux_open(3). It does not parse.
 */
export function defaultUri(env: NodeJS.ProcessEnv): string {
  return env.FLUX_URI ?? DEFAULT_URI
}

/**
 * How many levels up an argument points: `/` is the root instance, `.` the enclosing one, `..` its parent, `../..`.
 *
 * @returns Infinity for `/`; undefined for an ordinary URI
 * @throws {FluxError} `EINVAL` it begins with `/` or `.` but is none of these
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
 * Parse a URI.
 *
 * @throws {FluxError} `ENOENT` no scheme, or an unknown one; `EINVAL` the rest is malformed
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
 * Check an argument for {@link Flux.open}: a URI, or a path up from the enclosing instance.
 *
 * @throws as {@link parseUri}, and {@link ancestorLevels}
 */
export function checkUri(text: string): void {
  if (ancestorLevels(text) === undefined) parseUri(text)
}

/** Bytes of the path in `struct sockaddr_un`, including the NUL at its end. */
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

/** Characters that are special to a shell. */
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
  // ssh would read either as an option.
  if (user?.startsWith('-') || host.startsWith('-')) throw invalid('neither user nor host can begin with -')
  // ssh may pass user and host to a shell, in a ProxyCommand. Newer versions of ssh refuse these characters too.
  if (SHELL.test(user ?? '') || SHELL.test(host)) throw invalid('a character that no name of a user or host has')
  let port: number | undefined
  if (colon >= 0) {
    port = Number(hostPort.slice(colon + 1))
    if (!/^:\d+$/.test(hostPort.slice(colon)) || port < 1 || port > 65535) throw invalid('not a port number')
  }
  return { scheme: 'ssh', text, user, host, port, path: rest.slice(slash) }
}
