import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import fc from 'fast-check'
import { openStoreWriter } from '../../src/content/index.ts'
import { Restore } from '../../src/restore/index.ts'
import { scratch } from '../support/fixtures.ts'
import { Blobs, dir, type Tree, val, valref } from '../support/trees.ts'
import { writeTree } from '../support/write-archive.ts'

const LARGE = 'x'.repeat(100)

/** Some values are the same, and so are some directories. */
const FILES: Record<string, string> = Object.fromEntries(
  ['a', 'b', 'b/deep/er', 'c', 'c-d', 'é/1', 'é/10', 'é/9'].flatMap((directory) =>
    ['J', 'R', 'eventlog'].map((name) => [`${directory}_/${name}`, name === 'R' ? LARGE + directory.length : name]),
  ),
)

function treeOf(files: Readonly<Record<string, string>>): Record<string, Tree> {
  const root: Record<string, Tree> = {}
  for (const [path, text] of Object.entries(files)) {
    const components = path.split('/')
    let at = root
    for (const step of components.slice(0, -1))
      at = ((at[step] ??= dir({})) as { entries: Record<string, Tree> }).entries
    at[components.at(-1) as string] = text.length < 72 ? val(text) : valref(text)
  }
  return root
}

/** The blobrefs in a store. */
function blobrefsIn(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare('SELECT lower(hex(hash)) AS hex FROM objects').all()
  db.close()
  return rows.map(({ hex }) => `sha1-${hex}`)
}

describe('restore, of members in any order', () => {
  it('makes the same store: the same root, and no blob that is not reached from it', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree(treeOf(FILES))
    const paths = Object.keys(FILES)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(paths, { minLength: paths.length }), async (order) => {
        const root = scratch()
        await writeTree(join(root, 'x.tar'), Object.fromEntries(order.map((path) => [path, FILES[path] as string])))
        const path = join(root, 'x.sqlite')
        await using writer = await openStoreWriter(path)
        const commit = (made: { rootref: string; timestamp: number }) => writer.commit({ ...made, sequence: 0 })
        const result = await new Restore({ infile: join(root, 'x.tar'), writer, commit }).run()
        expect(result.rootref).to.equal(rootref)
        expect(result.keys).to.equal(paths.length)
        expect(blobrefsIn(path)).to.have.members([...blobs.keys()])
      }),
      { numRuns: 15 },
    )
  })
})
