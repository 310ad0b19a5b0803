import { execute } from '@oclif/core'

/** Run a command of ours. @param root - the directory of the package.json and the manifest for oclif */
export async function runOclif(root: string, argv: readonly string[]): Promise<void> {
  // This tool cannot install plugins, so it does not look for any in the user's data directory.
  await execute({ args: [...argv], loadOptions: { root, userPlugins: false, devPlugins: false } })
}
