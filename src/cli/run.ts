import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute, type Interfaces } from '@oclif/core'
import { keepIgnored } from '../errors/index.ts'
import { BundledPlugin } from './bundled-plugin.ts'

/**
 * Run the command line tool from its bundle.
 *
 * @param file - URL of a file beside the package.json and the manifest for oclif
 * @param ignored - the signals that are ignored, as /proc/self/status has them; empty when that is not known
 */
export async function run(file: string, argv: readonly string[], ignored: string | undefined): Promise<void> {
  if (ignored) keepIgnored(ignored)
  const root = dirname(fileURLToPath(file))
  const plugin = new BundledPlugin(root)
  const { pjson, name } = plugin
  // All plugins are given: this tool cannot install any, so none is looked for in the user's data directory.
  const loadOptions: Interfaces.LoadOptions = { root, pjson, plugins: new Map([[name, plugin]]) }
  if (!process.env.DEBUG) loadOptions.logger = silentLogger()
  await execute({ args: [...argv], loadOptions })
}

/** oclif logs only when DEBUG is set. Its own logger would have to be loaded. */
function silentLogger(): Interfaces.Logger {
  const nothing = () => {}
  const logger = {
    namespace: 'oclif',
    child: () => logger,
    debug: nothing,
    error: nothing,
    info: nothing,
    trace: nothing,
    warn: nothing,
  }
  return logger
}
