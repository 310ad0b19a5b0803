import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import fc from 'fast-check'
import { archiveTypeOf, createArchive, type FilterName, type FormatName, openArchive } from '../../src/archive/index.ts'
import { readMembers, type Said, said, saidOfTree, shell, type Tree } from '../support/archives.ts'
import { fixtureTree, saidOfDirectory } from '../support/fixture-tree.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'
import { ATTRIBUTES, WRITTEN, writeTree } from '../support/write-archive.ts'

/** Lines of shell that unpack `$FILE`, by whichever filter, into the directory they run in. */
const READERS: Readonly<Record<Exclude<FormatName, 'directory'>, Readonly<Record<string, string>>>> = {
  tar: {
    'GNU tar': 'tar -xf $FILE',
    bsdtar: 'bsdtar -xf $FILE',
    'bsdtar, from a pipe': 'cat $FILE | bsdtar -xf -',
    // Python reads zstd from 3.14 on only.
    'Python tarfile':
      'case $FILE in *.zst) zstd -dq $FILE -o $FILE.tar; FILE=$FILE.tar ;; esac;' +
      'python3 -c "import sys, tarfile; tarfile.open(sys.argv[1]).extractall()" $FILE 2>/dev/null',
  },
  cpio: {
    'GNU cpio': 'cpio -idm --quiet < $FILE',
    bsdtar: 'bsdtar -xf $FILE',
    'bsdtar, from a pipe': 'cat $FILE | bsdtar -xf -',
  },
  zip: {
    unzip: 'unzip -qq -^ $FILE',
    bsdtar: 'bsdtar -xf $FILE',
    'bsdtar, from a pipe': 'cat $FILE | bsdtar -xf -',
  },
  iso9660: {
    bsdtar: 'bsdtar -xf $FILE; chmod -R u+w .',
    'bsdtar, from a pipe': 'cat $FILE | bsdtar -xf -; chmod -R u+w .',
  },
}

/** Lines that print what a compressed file holds. */
const UNFILTERS: Readonly<Record<Exclude<FilterName, 'none'>, string>> = {
  gzip: 'gunzip -c < $FILE',
  bzip2: 'bunzip2 -c < $FILE',
  xz: 'xz -dc < $FILE',
  zstd: 'zstd -dqc < $FILE',
}

/** What Python's zipfile reads. */
const ZIPFILE = `
import hashlib, json, sys, zipfile
out = []
with zipfile.ZipFile(sys.argv[1]) as z:
    for i in z.infolist():
        data = z.read(i)
        link = i.external_attr >> 28 == 0o12
        out.append(dict(path=i.orig_filename, type='symlink' if link else 'file', size=0 if link else len(data),
            linkname=data.decode() if link else '', sha256=hashlib.sha256(b'' if link else data).hexdigest()))
json.dump(out, sys.stdout)
`

/** Frees what nobody holds, so that what is counted is held. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

const compose = (path: string) => path.normalize('NFC')

const sorted = (members: Said[]) => members.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))

describe('archive: what is written is read', () => {
  let tree: Tree
  before(async () => {
    tree = await fixtureTree()
  })

  const archives = new Map<string, Buffer>()
  after(() => archives.clear())

  /** All of the fixtures in an archive, in a directory of its own. Written once: it is always the same, see below. */
  async function fixtures(extension: string): Promise<string> {
    const file = join(scratch(), `x${extension}`)
    const archive = archives.get(extension)
    if (archive !== undefined) writeFileSync(file, archive)
    else {
      await writeTree(file, tree)
      if (extension !== '/') archives.set(extension, readFileSync(file))
    }
    return file
  }

  for (const extension of WRITTEN) {
    const { format, filter } = archiveTypeOf(`x${extension}`)
    for (const [reader, line] of Object.entries(READERS[format as keyof typeof READERS])) {
      it(`holds every value and link of the fixtures for ${reader}: ${extension}`, async () => {
        const file = await fixtures(extension)
        const out = join(scratch(), 'out')
        mkdirSync(out)
        shell(line, out, { FILE: file })
        const wanted = saidOfTree(tree)
        // libarchive composes what is decomposed, in tar and zip.
        const composed =
          reader.startsWith('bsdtar') && ['tar', 'zip'].includes(format)
            ? wanted.map((said) => ({ ...said, path: compose(said.path) }))
            : wanted
        expect(sorted(saidOfDirectory(out))).to.deep.equal(sorted(composed))
      })
    }

    if (filter !== 'none') {
      it(`is what the tool of its filter reads: ${extension}`, async () => {
        const plain = shell(UNFILTERS[filter], '/', { FILE: await fixtures(extension) })
        expect(plain.equals(readFileSync(await fixtures('.tar')))).to.equal(true)
      })
    }

    it(`gives the same bytes for any number of threads, and leaves nothing beside the file: ${extension}`, async () => {
      const usual = readFileSync(await fixtures(extension))
      const dir = scratch()
      for (const threads of [1, 5]) {
        await writeTree(join(dir, `${threads}${extension}`), tree, { threads })
        expect(readFileSync(join(dir, `${threads}${extension}`)).equals(usual)).to.equal(true)
      }
      expect(readdirSync(dir)).to.have.lengthOf(2)
    })
  }

  it('holds every value and link of the fixtures for Python zipfile: .zip', async () => {
    const file = await fixtures('.zip')
    const read = JSON.parse(run('python3', ['-c', ZIPFILE, file]).toString()) as Said[]
    expect(sorted(read)).to.deep.equal(saidOfTree(tree))
  })

  for (const extension of ['.tar', '.tgz', '.zip', '.cpio']) {
    it(`is whole for 7z: ${extension}`, async () => {
      expect(run('7z', ['t', await fixtures(extension)]).toString()).to.include('Everything is Ok')
    })
  }

  for (const extension of [...WRITTEN, '/']) {
    const { filter } = archiveTypeOf(`x${extension}`)
    it(`holds every value and link of the fixtures for us: ${extension}`, async () => {
      const members = await readMembers(await fixtures(extension))
      expect(said(members)).to.deep.equal(saidOfTree(tree))
      for (const { type, mtimeSeconds } of members) {
        if (type === 'file') expect(mtimeSeconds).to.equal(ATTRIBUTES.mtimeSeconds)
      }
    })

    it(`holds a part of a large member at a time: ${extension}`, async () => {
      const file = join(scratch(), `x${extension}`)
      const piece = Buffer.alloc(1 << 20)
      const pieces = 64
      const before = process.memoryUsage().arrayBuffers
      let most = 0
      async function* stream() {
        for (let n = 0; n < pieces; n++) {
          yield [piece]
          if (n % 8 !== 0) continue
          collect()
          most = Math.max(most, process.memoryUsage().arrayBuffers - before)
        }
      }
      await using archive = await createArchive(file, { attributes: ATTRIBUTES, threads: 2 })
      await archive.streamFile('large', pieces << 20, stream())
      await archive.finish()
      expect(most).to.be.lessThan(32 << 20)
      const sizes: number[] = []
      await using reader = await openArchive(file)
      for await (const batch of reader.batches())
        for (const { size, type } of batch) if (type === 'file') sizes.push(size)
      expect(sizes).to.deep.equal([pieces << 20])
    })

    it(`comes back as it was, whatever is in it: ${extension}`, async () => {
      // A link of a directory stays in it; what else there is to say of links, each format's own tests do.
      const component = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
        .map((text) => text.replaceAll(/[/\0]/g, '_'))
        .filter((text) => text.isWellFormed() && text !== '.' && text !== '..')
      const path = fc.array(component, { minLength: 1, maxLength: 12 }).map((components) => components.join('/'))
      const content = fc.oneof(
        fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
        fc.nat(1_500_000).map((size) => Buffer.alloc(size, 'some text and ')),
      )
      const what = fc.oneof({ weight: 4, arbitrary: content }, { weight: 1, arbitrary: path.map((to) => ({ to })) })
      const arbitrary = fc.uniqueArray(fc.tuple(path, what), { selector: ([path]) => path, maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(arbitrary, async (members) => {
          const isParent = (path: string) => members.some(([other]) => other.startsWith(`${path}/`))
          const tree: Tree = Object.fromEntries(members.filter(([path]) => !isParent(path)))
          const file = join(scratch(), `x${extension}`)
          await writeTree(file, tree)
          expect(said(await readMembers(file))).to.deep.equal(saidOfTree(tree))
        }),
        // Programs and threads that start for each take longer than what they compress.
        { numRuns: ['bzip2', 'xz'].includes(filter) ? 6 : 20 },
      )
    })
  }
})
