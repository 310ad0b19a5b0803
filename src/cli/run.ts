import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Run the command line tool. @param file - URL of a file beside the package.json and the manifest for oclif */
export async function run(file: string, argv: readonly string[]): Promise<void> {
  if (argv[0] === '__complete') {
    const { completeKeys } = await import('./completion/keys.ts')
    await completeKeys(argv.slice(1))
  } else {
    const { runOclif } = await import('./run-oclif.ts')
    await runOclif(dirname(fileURLToPath(file)), argv)
  }
}
