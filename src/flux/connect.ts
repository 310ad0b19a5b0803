import { connectLocal } from './connect-local.ts'
import { connectSsh } from './connect-ssh.ts'
import type { ConnectOptions, Transport } from './connector.ts'
import type { FluxUri } from './uri.ts'

/** Connect to a broker with the connector of the URI's scheme. @throws as {@link connectLocal}, {@link connectSsh} */
export function connect(uri: FluxUri, options: ConnectOptions): Promise<Transport> {
  return uri.scheme === 'local' ? connectLocal(uri, options) : connectSsh(uri, options)
}
