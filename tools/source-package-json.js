import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * package.json with the paths of built files replaced by those of their sources, so that oclif loads the sources.
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
