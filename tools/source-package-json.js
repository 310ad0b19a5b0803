import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * package.json with the places of built files turned into those of their sources, for oclif to load commands from.
 *
 * @param {string} root - the package's directory
 */
export function sourcePackageJson(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'), (_key, value) =>
    typeof value === 'string' && value.startsWith('./dist/')
      ? value.replace('./dist/', './src/').replace(/\.js$/, '.ts')
      : value,
  )
}
