import { expect } from 'chai'
import fc from 'fast-check'
import { MemberPaths } from '../../src/dump/index.ts'
import { keyOf, walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, type Tree, val } from '../support/trees.ts'

/** Path and exact components of every entry of a literal. */
async function pathsOf(
  entries: Record<string, Tree>,
): Promise<[path: string, components: readonly string[] | undefined][]> {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  const paths = new MemberPaths()
  const found: [string, readonly string[] | undefined][] = []
  for await (const batch of walk(new MemoryStore(blobs), rootref)) {
    for (const entry of batch) {
      const { path, components } = paths.of(entry.dir, entry.name)
      found.push([path, components])
      expect(keyOf(entry.dir, entry.name)).to.be.a('string')
    }
  }
  return found
}

describe('dump/member-path', () => {
  it('leaves ordinary names as they are, percent signs among them', async () => {
    const entries = {
      'a%2Fb': val('1'),
      '%': val('2'),
      d: dir({ 'x.y': val('3'), '...': val('4'), ' \\"é\u0001': val('5') }),
    }
    expect(await pathsOf(entries)).to.deep.equal([
      ['%', undefined],
      ['a%2Fb', undefined],
      ['d/ \\"é\u0001', undefined],
      ['d/...', undefined],
      ['d/x.y', undefined],
    ])
  })

  it('encodes components that no path can say, and keeps the exact ones', async () => {
    const entries = {
      '': val('1'),
      '.': dir({ x: val('2') }),
      '..': dir({ '..': val('3') }),
      'a/b': val('4'),
      '/etc/passwd': val('5'),
      'n\0l': val('6'),
    }
    expect(await pathsOf(entries)).to.deep.equal([
      ['%', ['']],
      ['%2E/x', ['.', 'x']],
      ['%2E%2E/%2E%2E', ['..', '..']],
      ['%2Fetc%2Fpasswd', ['/etc/passwd']],
      ['a%2Fb', ['a/b']],
      ['n%00l', ['n\0l']],
    ])
  })

  it('gives a key that encodes like a sibling a path of its own', async () => {
    const entries = {
      'a/b': val('odd'),
      'a%2Fb': val('plain'),
      'a%2Fb%': dir({ x: val('plain too') }),
      a: dir({ b: val('deep') }),
      '': dir({ v: val('odd') }),
      '%': val('plain'),
    }
    expect(await pathsOf(entries)).to.deep.equal([
      ['%%/v', ['', 'v']],
      ['%', undefined],
      ['a/b', undefined],
      ['a%2Fb', undefined],
      ['a%2Fb%/x', undefined],
      ['a%2Fb%%', ['a/b']],
    ])
  })

  it('never gives two keys one path, nor one that leaves its directory', async () => {
    const name = fc.string({ maxLength: 4, unit: fc.constantFrom('/', '.', '%', '2', 'F', 'E', '\0', '0', 'a') })
    const { entries } = fc.letrec<{ entries: Record<string, Tree> }>((tie) => ({
      entries: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.constant(val('1')), tie('entries').map(dir)), {
        maxKeys: 8,
      }),
    }))
    await fc.assert(
      fc.asyncProperty(entries, async (tree) => {
        const found = await pathsOf(tree)
        const paths = found.map(([path]) => path)
        expect(new Set(paths).size).to.equal(paths.length)
        for (const path of paths) {
          for (const part of path.split('/')) {
            expect(part).to.not.be.oneOf(['', '.', '..'])
            expect(part).to.not.include('\0')
          }
        }
        // No path is a directory of another: a file cannot be both.
        for (const path of paths) for (const other of paths) expect(other.startsWith(`${path}/`)).to.equal(false)
      }),
      { numRuns: 300 },
    )
  })
})
