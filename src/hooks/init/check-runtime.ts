import type { Hook } from '@oclif/core'
import { isOurCommand, isOurTool } from '../ours.ts'

/** The oldest Node.js that has what is used here: `node:sqlite` with arrays, and zstd in `node:zlib`. */
const OLDEST = [22, 20] as const

/** The error for a version of Node.js that is too old, or undefined. @param version - e.g. `22.19.0` */
export function complaint(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined
  return `Node.js ${OLDEST.join('.')} or newer is required, but this is v${version} (${process.execPath})`
}

/**
 * Report in one line that Node.js is too old, before a command of this package is loaded and fails in a confusing way.
 * A host's own commands are not affected.
 */
const checkRuntime: Hook.Init = async function ({ config, id }) {
  const text = complaint(process.versions.node)
  if (text === undefined || !(isOurTool(config) || isOurCommand(config, id))) return
  process.stderr.write(`${config.bin}: ${text}\n`)
  this.exit(1)
}

export default checkRuntime
