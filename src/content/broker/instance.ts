import { FluxError } from '../../errors/index.ts'
import { type Flux, RpcError } from '../../flux/index.ts'
import type { HashName } from '../blobref.ts'

/** The key that checkpoints had to be asked for by until v0.77; newer brokers do not look at it. */
export const CHECKPOINT_KEY = 'kvs-primary'

/** Until v0.29 there was one algorithm, and no attribute for it. @param signal - gives up */
export async function contentHash(flux: Flux, signal: AbortSignal | undefined): Promise<HashName> {
  const name = await flux.attrGet('content.hash', { signal }).catch((error) => {
    if (error instanceof FluxError && error.code === 'ENOENT') return 'sha1'
    throw error
  })
  if (name === 'sha1' || name === 'sha256') return name
  throw new FluxError('EPROTO', `${flux.uri}: content.hash is ${name}, which is not known here`)
}

/** What the C tool says: what was attempted, and the broker's own words. */
export function fetchError(error: unknown, what: string, hints: Partial<Record<string, string>>): unknown {
  if (!(error instanceof RpcError)) return error
  const text = error.message.slice(`${error.topic}: `.length)
  return new FluxError(error.code, `${what}: ${text}`, { cause: error, hint: hints[error.code] })
}
