import { FluxError } from '../../errors/index.ts'
import { type Flux, RpcError } from '../../flux/index.ts'
import type { HashName } from '../blobref.ts'

/** The key of the checkpoint in requests. Brokers need it until v0.77 and ignore it since. */
export const CHECKPOINT_KEY = 'kvs-primary'

/**
 * The hash algorithm of an instance. Until v0.29 it was always sha1, and there was no attribute for it.
 *
 * @throws {FluxError} `EPROTO` an algorithm that is neither sha1 nor sha256
 */
export async function contentHash(flux: Flux, signal: AbortSignal | undefined): Promise<HashName> {
  const name = await flux.attrGet('content.hash', { signal }).catch((error) => {
    if (error instanceof FluxError && error.code === 'ENOENT') return 'sha1'
    throw error
  })
  if (name === 'sha1' || name === 'sha256') return name
  throw new FluxError('EPROTO', `${flux.uri}: content.hash is ${name}, which is not known here`)
}

/** The error in the words of the C tool: what failed, and the broker's own text. Other errors pass unchanged. */
export function fetchError(error: unknown, what: string, hints: Partial<Record<string, string>>): unknown {
  if (!(error instanceof RpcError)) return error
  const text = error.message.slice(`${error.topic}: `.length)
  return new FluxError(error.code, `${what}: ${text}`, { cause: error, hint: hints[error.code] })
}
