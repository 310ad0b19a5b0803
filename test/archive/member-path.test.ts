import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ArchiveError, createArchive } from '../../src/archive/index.ts'
import { scratch } from '../support/fixtures.ts'
import { ATTRIBUTES } from '../support/write-archive.ts'

const BAD: [path: string, why: string][] = [
  ['/etc/passwd', 'an absolute path'],
  ['../../etc/passwd', 'a path with a component ..'],
  ['good/../../x', 'a path with a component ..'],
  ['good/..', 'a path with a component ..'],
  ['..', 'a path with a component ..'],
  ['good/./x', 'a path with a component .'],
  ['', 'a path with an empty component'],
  ['good/', 'a path with an empty component'],
  ['good//x', 'a path with an empty component'],
  ['good/a\0b', 'a path with a NUL'],
  ['good\0/b', 'a path with a NUL'],
]

const PART = [Buffer.from('x')]

describe('archive: paths that are no place within it', () => {
  for (const name of ['x.tar', 'x.tgz', 'x.zip', 'x.cpio', 'x.iso', 'x/']) {
    it(`are refused, however they are added: ${name}`, async () => {
      const dir = scratch()
      const archive = await createArchive(join(dir, name), { attributes: ATTRIBUTES })
      archive.file('good/one', 1, PART)
      const stream = async function* () {
        yield PART
      }
      for (const [path, why] of BAD) {
        const attempts = [
          async () => archive.file(path, 1, PART),
          async () => archive.symlink(path, 'good'),
          () => archive.streamFile(path, 1, stream()),
        ]
        for (const attempt of attempts) {
          const error = await attempt().catch((error) => error)
          expect(error, path).to.be.instanceOf(ArchiveError).and.include({ code: 'EINVAL', pathname: path })
          expect(error.message).to.match(new RegExp(`cannot be archived: ${why}$`))
        }
      }
      // What only looks like it is a name as any other.
      for (const path of ['good/...', 'good/..x/.y', 'c/two', 'good/three', 'dd']) archive.file(path, 1, PART)
      await archive.finish()
      expect(readdirSync(dir)).to.deep.equal([name.replace('/', '')])
    })
  }
})
