import { connectLocal } from './connect-local.ts'
import { connectSsh } from './connect-ssh.ts'
import type { ConnectOptions, Transport } from './connector.ts'
import type { FluxUri } from './uri.ts'

/** Connect to a broker, by the connector of the URI's scheme. */
export function connect(uri: FluxUri, options: ConnectOptions): Promise<Transport> {
  return uri.scheme === 'local' ? connectLocal(uri, options) : connectSsh(uri, options)
}
