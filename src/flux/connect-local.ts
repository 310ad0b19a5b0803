import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoName, FluxError, throwIfAborted } from '../errors/index.ts'
import { type ConnectOptions, StreamTransport, type Transport } from './connector.ts'
import { errnumText } from './rpc-error.ts'
import type { FluxUri } from './uri.ts'

/** Retries and delays of the C connector. With these, a missing socket fails after half a second. */
const RETRIES = 5
const FIRST_DELAY_MS = 16
const LONGEST_DELAY_MS = 2000

/**
 * Connect to the socket of a broker on this machine, and wait until the broker admits us.
 *
 * @throws {FluxError} `ENOENT` no socket; `ECONNREFUSED` no broker listens; `EPERM`, or the errno that the broker
 *   sends, the broker refused us; `ECONNRESET` the broker closed the connection; `EINVAL` a bad
 *   `FLUX_LOCAL_CONNECTOR_RETRY_COUNT`; `EINTR`, `ETIMEDOUT` the signal was aborted
 * @see flux-core `src/common/libflux/connector_local.c`, `src/common/librouter/usock.c`
 */
export async function connectLocal(
  uri: FluxUri & { scheme: 'local' },
  { env, signal }: ConnectOptions,
): Promise<Transport> {
  const retries = retryCount(env)
  try {
    const socket = await connectRetrying(uri.path, retries, signal)
    const transport = new StreamTransport(socket, socket)
    try {
      admitted(uri.text, await transport.handshake(signal))
      return transport
    } catch (error) {
      transport.destroy()
      throw error
    }
  } catch (error) {
    if (error instanceof FluxError) throw error
    throwIfAborted(signal, `${uri.text}: connecting`)
    throw unreachable(uri, error)
  }
}

function retryCount(env: NodeJS.ProcessEnv): number {
  const text = env.FLUX_LOCAL_CONNECTOR_RETRY_COUNT
  if (text === undefined) return RETRIES
  if (/^\s*(?:\+?\d+)?$/.test(text)) return Number(text)
  throw new FluxError('EINVAL', `FLUX_LOCAL_CONNECTOR_RETRY_COUNT=${text}: not a number of retries`)
}

async function connectRetrying(path: string, retries: number, signal: AbortSignal | undefined): Promise<Socket> {
  for (let retry = 0, waits = 0; ; retry++, waits++) {
    try {
      return await connectOnce(path)
    } catch (error) {
      // The listen queue is full (a broker's has 5 places). A blocking connect would wait, so this is not a failure.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') retry--
      else if (retry >= retries) throw error
      await sleep(retryDelayMs(waits), undefined, { signal })
    }
  }
}

/** How long to wait before the next attempt, in milliseconds. @param waits - how often it was waited before */
export function retryDelayMs(waits: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** waits, LONGEST_DELAY_MS)
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function admitted(uri: string, byte: number | undefined): void {
  if (byte === 0) return
  if (byte === undefined) {
    throw new FluxError('ECONNRESET', `${uri}: the broker closed the connection at once`, {
      hint: 'it may be shutting down, or overloaded: try again',
    })
  }
  const code = errnoName(byte)
  throw new FluxError(code ?? 'EPROTO', `${uri}: the broker refused the connection: ${errnumText(byte)}`, {
    hint: code === 'EPERM' ? 'the instance belongs to another user, and does not let guests in' : undefined,
  })
}

function unreachable(uri: FluxUri, error: unknown): FluxError {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return new FluxError('ENOENT', `${uri.text}: broker socket ${uri.path} was not found`, {
        cause: error,
        hint: 'is the instance running? FLUX_URI or a URI argument says which one to reach',
      })
    case 'ECONNREFUSED':
      return new FluxError('ECONNREFUSED', `${uri.text}: no broker listens on this socket`, {
        cause: error,
        hint: 'the instance has ended without removing it',
      })
    default:
      return FluxError.fromSystem(error, `${uri.text}: cannot connect`)
  }
}
