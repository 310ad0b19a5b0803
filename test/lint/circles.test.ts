/** No two files import each other. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

/** The relative imports and re-exports of a file, of types too. */
function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.\.?\/[^']+)'/g)].map(([, path]) =>
    join(dirname(file), path as string),
  )
}

/** The pairs of files that import each other. */
function circlesIn(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map([...files].map(([file, text]) => [file, new Set(importsOf(file, text))]))
  const circles: string[] = []
  for (const [file, imported] of imports) {
    for (const other of imported)
      if (file < other && imports.get(other)?.has(file)) circles.push(`${file} and ${other}`)
  }
  return circles
}

describe('circles between two files', () => {
  it('are found, in types and dynamic imports too', () => {
    const files = new Map([
      ['a/x.ts', "import type { Y } from '../b/y.ts'\n"],
      ['b/y.ts', "const x = await import('../a/x.ts')\nexport { z } from './z.ts'\n"],
      ['b/z.ts', 'export const z = 1\n'],
    ])
    expect(circlesIn(files)).to.deep.equal(['a/x.ts and b/y.ts'])
  })

  it('are nowhere in src', () => {
    const names = globSync('**/*.ts', { cwd: SRC })
    const files = new Map(names.map((name) => [name, readFileSync(join(SRC, name), 'utf8')]))
    expect(files.size).to.be.greaterThan(300)
    expect(circlesIn(files)).to.deep.equal([])
  })
})
