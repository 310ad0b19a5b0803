import { createHash, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobrefOf } from '../../src/content/index.ts'
import { keyOf, resolveRoot, walk } from '../../src/kvs/index.ts'
import { ArchiveStore, type OpenArchiveStoreOptions } from '../../src/restore/index.ts'
import { makeTree, readMembers, shell, TREE, type Tree } from '../support/archives.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { cleanEnv, fluxTs, has } from '../support/processes.ts'
import { withoutOrigin } from '../support/read-tar.ts'
import { writeTree } from '../support/write-archive.ts'

describe('restore/archive-store', () => {
  it('has the root that a restore gives, as its only checkpoint, and leaves nothing behind', async () => {
    const scratchDir = scratch()
    {
      await using store = await ArchiveStore.open(fixture('archives', 'snapshot.tar.xz'), { scratchDir })
      const { rootref, timestamp } = await resolveRoot(store)
      expect(rootref).to.equal(expected('archives').rootref)
      expect(timestamp).to.be.greaterThan(1_700_000_000)
      expect(await store.checkpoints()).to.have.length(1)
      expect(store.restored).to.include({ format: 'tar', filter: 'xz', keys: expected('archives').entries.length })
      expect(readdirSync(scratchDir)).to.deep.equal([])
      const [root] = await store.loadBatch([rootref], 1)
      expect([...(await store.onDisk.sizes([rootref]))]).to.deep.equal([(root as Uint8Array).length])
      expect(Buffer.from(root as Uint8Array).toString()).to.match(/^\{"data":/)
    }
    expect(readdirSync(scratchDir)).to.deep.equal([])
  })

  it('leaves nothing behind when the archive is damaged', async () => {
    const scratchDir = scratch()
    const file = fixture('archives', 'content.sqlite')
    const error = await ArchiveStore.open(file, { scratchDir }).catch((error) => error)
    expect(error.message).to.contain(file)
    expect(readdirSync(scratchDir)).to.deep.equal([])
  })

  it('lets one kind of archive be dumped as another, with the same members as from the store it was of', () => {
    const dir = scratch()
    const env = cleanEnv({ SOURCE_DATE_EPOCH: '1700000000' })
    const dump = (source: string[], name: string) => {
      const { status, stderr } = fluxTs(['dump', '-q', ...source, join(dir, name)], { env })
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      return readFileSync(join(dir, name))
    }
    const direct = dump(['--store', fixture('jobs', 'content.sqlite')], 'direct.tar')
    dump(['--store', fixture('jobs', 'content.sqlite')], 'packed.tgz')
    const again = dump(['--archive', join(dir, 'packed.tgz')], 'again.tar')
    expect(withoutOrigin(again).equals(withoutOrigin(direct))).to.equal(true)
    // The roots that they were made of differ, since a restore stores values anew.
    expect(again.equals(direct)).to.equal(false)
  })

  describe('leaves the values of an archive where they are', () => {
    const hole = Buffer.concat([randomBytes(5000), Buffer.alloc(200_000), randomBytes(5000)])
    const tree: Tree = {
      ...TREE,
      noise: randomBytes(1_500_000),
      hole,
      [`${'long/'.repeat(60)}name`]: 'x'.repeat(1000),
      'again/noise': 'the same '.repeat(100),
      'again/noise2': 'the same '.repeat(100),
    }

    /** Archives of the tree by each tool, and whether its values can be read in place. */
    const TOOLS: [name: string, tool: string, command: string, inPlace: 'all' | 'some' | 'none'][] = [
      ['x.tar', 'tar', 'tar -cf ../x.tar --format=gnu .', 'all'],
      ['x.pax.tar', 'tar', 'tar -cf ../x.pax.tar --format=pax --pax-option=comment:=text .', 'all'],
      ['x.bsd.tar', 'bsdtar', 'bsdtar -cf ../x.bsd.tar .', 'all'],
      ['x.newc', 'cpio', 'find . -print | cpio -o -H newc > ../x.newc 2>/dev/null', 'all'],
      ['x.odc', 'bsdtar', 'bsdtar -cf ../x.odc --format=odc .', 'all'],
      ['x.stored.zip', 'zip', 'zip -qry0 ../x.stored.zip .', 'all'],
      ['x.zip', 'zip', 'zip -qry ../x.zip .', 'some'],
      ['x.tgz', 'tar', 'tar -czf ../x.tgz .', 'none'],
      ['x.tar.salvage', 'tar', 'tar -cf ../x.tar.salvage .', 'none'],
    ]
    for (const [name, tool, command, inPlace] of TOOLS.filter(([, tool]) => has(tool))) {
      it(`of ${tool}: ${name}`, async () => {
        const dir = scratch()
        const files = join(dir, 'files')
        makeTree(files, tree)
        shell(command, files)
        const path = join(dir, name)
        const members = await readMembers(path)
        const file = readFileSync(path)
        const isPlain = !name.endsWith('.tgz')
        for (const { contentOffset: at, size, content } of members) {
          if (at !== undefined && isPlain) expect(file.subarray(at, at + size).equals(content)).to.equal(true)
        }
        const offsets = members.filter(({ type, contentOffset }) => type === 'file' && contentOffset !== undefined)
        const all = members.filter(({ type }) => type === 'file')
        if (inPlace === 'all') expect(offsets).to.have.length(all.length)

        const cacheDir = scratch()
        const salvage = name.endsWith('.salvage')
        const [first, second] = [
          await valuesIn(path, { cacheDir, salvage }),
          await valuesIn(path, { cacheDir, salvage }),
        ]
        expect(second).to.deep.equal({ ...first, isKept: !salvage })
        const expected = Object.entries(tree).flatMap(([path, what]) =>
          typeof what === 'object' && 'to' in what ? [] : [[path, digest(Buffer.from(what))] as const],
        )
        expect(first.values).to.deep.equal(Object.fromEntries(expected.sort()))
        if (salvage) return
        const kept = readdirSync(cacheDir).find((name) => name.endsWith('.pack')) as string
        const { size } = statSync(join(cacheDir, kept))
        if (inPlace === 'all') expect(size).to.be.lessThan(100_000)
        else expect(size).to.be.greaterThan(inPlace === 'some' ? 100_000 : 4_000_000)
      })
    }

    it('takes the last of two members of one key', async () => {
      const [dir, cacheDir] = [scratch(), scratch()]
      const path = join(dir, 'x.tar')
      await writeTree(path, { 'a/noise': randomBytes(1 << 20), twice: 'first '.repeat(100) })
      const end = readFileSync(path).subarray(0, -1024)
      await writeTree(join(dir, 'y.tar'), { twice: 'second '.repeat(100) })
      writeFileSync(path, Buffer.concat([end, readFileSync(join(dir, 'y.tar'))]))
      for (const isKept of [false, true]) {
        const { values, ...rest } = await valuesIn(path, { cacheDir })
        expect(rest).to.deep.equal({ isKept, warnings: ['twice: appears twice; the last one counts'] })
        expect(values.twice).to.equal(digest(Buffer.from('second '.repeat(100))))
      }
    })

    it('says that the archive was written to while it was read, and keeps nothing', async () => {
      const [dir, cacheDir, scratchDir] = [scratch(), scratch(), scratch()]
      const path = join(dir, 'x.tar')
      await writeTree(path, { noise: randomBytes(2 << 20) })
      const onStart = () => appendFileSync(path, Buffer.alloc(512))
      const error = await ArchiveStore.open(path, { cacheDir, scratchDir, onStart }).catch((error) => error)
      expect(error).to.include({
        code: 'EBUSY',
        message: `${path}: the archive has changed while it was read`,
        hint: 'try again when nothing writes to it',
      })
      expect([...readdirSync(cacheDir), ...readdirSync(scratchDir)]).to.deep.equal([])
    })

    it('says that another archive took the place of one that was kept', async () => {
      const path = join(scratch(), 'x.tgz')
      const cacheDir = scratch()
      await writeTree(path, { a: randomBytes(2 << 20) })
      await (await ArchiveStore.open(path, { cacheDir })).close()
      await using store = await ArchiveStore.open(path, { cacheDir })
      expect(store.isKept).to.equal(true)
      await writeTree(path, { a: '2' })
      // What is not there may be damaged: the archive is read once more.
      const error = await store.loadBatch([`sha1-${'0'.repeat(40)}`], 1).catch((error) => error)
      expect(error).to.include({
        code: 'EBUSY',
        message: `${path}: what was kept of it is damaged, or it changed meanwhile`,
        hint: 'try again: it will be read anew',
      })
    })

    it('says that the archive was written to since it was read', async () => {
      const path = join(scratch(), 'x.tar')
      const noise = randomBytes(2 << 20)
      await writeTree(path, { noise })
      const cacheDir = scratch()
      for (const isKept of [false, true]) {
        await using store = await ArchiveStore.open(path, { cacheDir })
        expect(store.isKept).to.equal(isKept)
        const at = readFileSync(path).indexOf(noise.subarray(0, 100))
        const fd = openSync(path, 'r+')
        writeSync(fd, Buffer.from('other'), 0, 5, at)
        closeSync(fd)
        utimesSync(path, 1, 1)
        const blobref = blobrefOf('sha1', noise)
        const error = await store.loadBatch([blobref], 1).catch((error) => error)
        expect(error).to.include({
          code: 'EBUSY',
          // What was kept is not believed: the archive is read again, and found to be another one.
          message: `${path}: the archive has changed ${isKept ? 'while' : 'since'} it was read`,
          hint: isKept ? 'try again when nothing writes to it' : 'try again: it will be read anew',
        })
        const again = openSync(path, 'r+')
        writeSync(again, noise, 0, 5, at)
        closeSync(again)
        if (!isKept) await (await ArchiveStore.open(path, { cacheDir })).close()
      }
    })
  })
})

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The digests of all values of an archive, by path. */
async function valuesIn(path: string, options: OpenArchiveStoreOptions) {
  const warnings: string[] = []
  await using store = await ArchiveStore.open(path, { ...options, onWarning: (text) => warnings.push(text) })
  const { rootref } = await resolveRoot(store)
  const values: [string, string][] = []
  for await (const batch of walk(store, rootref)) {
    for (const entry of batch) {
      if (entry.type !== 'value') continue
      const parts: Uint8Array[] = [...(entry.parts ?? [])]
      if (entry.stream) for await (const chunk of entry.stream()) parts.push(...chunk.map((part) => Buffer.from(part)))
      values.push([keyOf(entry.dir, entry.name).replaceAll('.', '/'), digest(Buffer.concat(parts))])
    }
  }
  return { values: Object.fromEntries(values.sort()), isKept: store.isKept, warnings }
}
