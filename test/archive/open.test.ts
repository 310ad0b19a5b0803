import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { ArchiveError, openArchive } from '../../src/archive/index.ts'
import { Source } from '../../src/archive/source.ts'
import {
  failure,
  makeTree,
  readMembers,
  said,
  saidOf,
  saidOfTree,
  shell,
  TREE,
  type Tree,
} from '../support/archives.ts'
import { fixtureTree } from '../support/fixture-tree.ts'
import { expected, fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { has, withEnv } from '../support/processes.ts'

/** What reads an archive of its standard input, and says how many members and bytes there were, or what failed. */
const CHILD = `
const { openArchive } = await import(process.argv[1])
try {
  await using archive = await openArchive('-')
  let members = 0, bytes = 0
  for await (const batch of archive.batches()) for (const { data, stream } of batch) {
    members++
    bytes += data?.length ?? 0
    if (stream) for await (const chunk of stream()) bytes += chunk.length
  }
  console.log(JSON.stringify({ ...archive.type, members, bytes }))
} catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })) }`

async function readFromPipe(command: string, cwd: string): Promise<Record<string, unknown>> {
  const module = new URL('../../src/archive/index.ts', import.meta.url).href
  const argv = ['--input-type=module', '-e', CHILD, module]
  const script = 'node=$0; command=$1; shift; eval "$command" | "$node" "$@"'
  const child = spawn('sh', ['-c', script, process.execPath, command, ...argv], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  await once(child, 'close')
  return JSON.parse(stdout)
}

const isLink = (what: Tree[string]) => typeof what === 'object' && 'to' in what

/** What libarchive's own ISO writer crashes on. */
const crashes = (path: string) => /^(names|jobs)\//.test(path)

/** What the oldest tars have no room for. */
const isLong = (path: string) => path.startsWith('long/') || path.startsWith('names/')

/** Lines of shell that archive the tree in `t`, all of it, as `out`. */
const WRITERS: readonly [
  what: string,
  tool: string,
  line: string,
  without?: (path: string, what: Tree[string]) => boolean,
][] = [
  ['GNU tar, gnu', 'tar', 'tar --format=gnu -C t -cf out .'],
  ['GNU tar, pax', 'tar', 'tar --format=pax -C t -cf out .'],
  ['GNU tar, ustar', 'tar', 'tar --format=ustar -C t -cf out .', isLong],
  ['GNU tar, v7', 'tar', 'tar --format=v7 -C t -cf out .', isLong],
  ['GNU tar, through gzip', 'gzip', 'tar -C t -czf out .'],
  [
    'GNU tar, through gzip in two members',
    'gzip',
    'tar -C t -cf x .; (head -c 100000 x | gzip; tail -c +100001 x | gzip) > out',
  ],
  ['GNU tar, through bzip2', 'bzip2', 'tar -C t -cjf out .'],
  [
    'GNU tar, through bzip2 in two streams',
    'bzip2',
    'tar -C t -cf x .; (head -c 100000 x | bzip2; tail -c +100001 x | bzip2 -1) > out',
  ],
  ['GNU tar, through xz', 'xz', 'tar -C t -cJf out .'],
  [
    'GNU tar, through xz in two streams and padding',
    'xz',
    'tar -C t -cf x .; (head -c 100000 x | xz -C crc32; head -c 8 /dev/zero; tail -c +100001 x | xz -0 -C sha256 --block-size=100000) > out',
  ],
  ['GNU tar, through zstd', 'zstd', 'tar -C t -cf x .; zstd -q x -o out'],
  [
    'GNU tar, through zstd in frames, one to be skipped',
    'zstd',
    "tar -C t -cf x .; (printf 'P*M\\030\\003\\000\\000\\000abc'; head -c 100000 x | zstd -q; printf 'Q*M\\030\\000\\000\\000\\000'; tail -c +100001 x | zstd -q --check) > out",
  ],
  ['bsdtar, pax', 'bsdtar', 'bsdtar -C t -cf out --format=pax .'],
  ['bsdtar, gnutar', 'bsdtar', 'bsdtar -C t -cf out --format=gnutar .'],
  ['bsdtar, cpio odc', 'bsdtar', 'bsdtar -C t -cf out --format=odc .'],
  ['bsdtar, cpio newc', 'bsdtar', 'bsdtar -C t -cf out --format=newc .'],
  ['bsdtar, zip', 'bsdtar', 'bsdtar -C t -cf out --format=zip .'],
  ['bsdtar, zip stored', 'bsdtar', 'bsdtar -C t -cf out --format=zip --options compression=store .'],
  ['bsdtar, iso9660', 'bsdtar', 'bsdtar -C t -cf out --format=iso9660 .', crashes],
  [
    'Python tarfile, pax',
    'python3',
    `python3 -c "import tarfile; t = tarfile.open('out', 'w', format=tarfile.PAX_FORMAT); t.add('t', ''); t.close()"`,
  ],
  [
    'Python tarfile, gnu',
    'python3',
    `python3 -c "import tarfile; t = tarfile.open('out', 'w', format=tarfile.GNU_FORMAT); t.add('t', ''); t.close()"`,
  ],
  ['cpio odc', 'cpio', 'cd t; find . -print0 | cpio -0o -H odc > ../out 2>/dev/null'],
  ['cpio newc', 'cpio', 'cd t; find . -print0 | cpio -0o -H newc > ../out 2>/dev/null'],
  ['cpio newc with a checksum', 'cpio', 'cd t; find . -print0 | cpio -0o -H crc > ../out 2>/dev/null'],
  ['zip', 'zip', 'cd t; zip -qry ../out.zip .; mv ../out.zip ../out'],
  ['zip to a pipe', 'zip', 'cd t; zip -qr - . | cat > ../out', (_path, what) => isLink(what)],
  [
    'genisoimage with Rock Ridge and Joliet',
    'genisoimage',
    'genisoimage -quiet -R -J -joliet-long -input-charset utf-8 -o out t 2>/dev/null',
  ],
  [
    'genisoimage, deep trees relocated',
    'genisoimage',
    'genisoimage -quiet -R -input-charset utf-8 -o out t 2>/dev/null',
  ],
  ['a directory', 'sh', 'cp -a t out'],
]

describe('archive/open', () => {
  for (const name of [
    'snapshot.tar',
    'snapshot.tgz',
    'snapshot.tar.bz2',
    'snapshot.tar.xz',
    'snapshot.zip',
    'snapshot.iso',
  ]) {
    it(`reads what flux dump wrote as ${name}`, async () => {
      expect(said(await readMembers(fixture('archives', name)))).to.deep.equal(saidOf(expected('archives').entries))
    })
  }

  it('reads what flux dump wrote as snapshot.cpio', async () => {
    const members = await readMembers(fixture('archives-cpio', 'snapshot.cpio'))
    expect(said(members)).to.deep.equal(saidOf(expected('archives-cpio').entries))
  })

  for (const name of SOUND_CASES.filter((name) => !['archives', 'archives-cpio', 'checkpoints'].includes(name))) {
    it(`reads what flux dump wrote of the fixture ${name}`, async () => {
      const file = ['jobs', 'values'].includes(name) ? 'dump.tgz' : 'dump.tar'
      expect(said(await readMembers(fixture(name, file)))).to.deep.equal(saidOf(expected(name).entries))
    })
  }

  for (const [what, tool, line, without] of WRITERS) {
    it(`reads what others write: ${what}`, async function () {
      if (!has(tool)) this.skip()
      const dir = scratch()
      const tree: Tree = Object.fromEntries(
        Object.entries({ ...TREE, ...(await fixtureTree()) }).filter(([path, what]) => !without?.(path, what)),
      )
      makeTree(join(dir, 't'), tree)
      shell(line, dir)
      const members = await readMembers(join(dir, 'out'))
      expect(said(members)).to.deep.equal(saidOfTree(tree))
      const file = members.find(({ path }) => path === 'a/b/c')
      expect(file?.mtimeSeconds).to.equal(1_700_000_000)
    })
  }

  it('reads names by Joliet when there is no Rock Ridge', async function () {
    if (!has('genisoimage')) this.skip()
    const dir = scratch()
    const tree = { 'a directory/File.Name': '1', é日: '22', empty: '' }
    makeTree(join(dir, 't'), tree)
    shell('genisoimage -quiet -J -joliet-long -input-charset utf-8 -o out t', dir)
    expect(said(await readMembers(join(dir, 'out')))).to.deep.equal(saidOfTree(tree))
    shell('genisoimage -quiet -input-charset utf-8 -o out t/empty', dir)
    expect((await readMembers(join(dir, 'out'))).map(({ path }) => path)).to.deep.equal(['EMPTY'])
  })

  it('reads from a pipe, also what must be read from the end', async () => {
    const snapshot = (name: string) => readFromPipe(`cat '${fixture('archives', name)}'`, scratch())
    const said = { members: 8, bytes: 804 }
    expect(await snapshot('snapshot.tgz')).to.deep.equal({ format: 'tar', filter: 'gzip', ...said })
    expect(await snapshot('snapshot.tar.xz')).to.deep.equal({ format: 'tar', filter: 'xz', ...said })
    expect(await snapshot('snapshot.zip')).to.deep.equal({ format: 'zip', filter: 'none', ...said })
    expect(await snapshot('snapshot.iso')).to.deep.equal({ format: 'iso9660', filter: 'none', ...said, members: 16 })
  })

  it('reads from a pipe that gives little at a time, and gives up when it breaks off', async () => {
    const dir = scratch()
    makeTree(join(dir, 't'), TREE)
    shell('tar -C t -cf x .', dir)
    const bytes = saidOfTree(TREE).reduce((sum, { size }) => sum + size, 0)
    expect(await readFromPipe('dd if=x bs=1000 2>/dev/null', dir)).to.include({ format: 'tar', bytes })
    expect(await readFromPipe('head -c 1000000 x', dir)).to.include({ code: 'EBADMSG' })
  })

  it('says of an empty file that it is empty, and of an archive of nothing that there is nothing', async () => {
    const file = join(scratch(), 'x')
    writeFileSync(file, '')
    expect(await failure(file))
      .to.be.instanceOf(ArchiveError)
      .that.includes({ code: 'EBADMSG' })
    for (const bytes of [1024, 10_240]) {
      writeFileSync(file, Buffer.alloc(bytes))
      expect(await readMembers(file)).to.deep.equal([])
    }
  })

  it('does not take zeros for an archive of nothing, but for what a writer of tar leaves', async () => {
    const file = join(scratch(), 'x')
    const tar = readFileSync(fixture('archives', 'snapshot.tar'))
    const lostItsStart = Buffer.concat([Buffer.alloc(512), tar.subarray(512)])
    for (const bytes of [Buffer.alloc(100), Buffer.alloc(1000), Buffer.alloc(10_752), Buffer.alloc(1 << 20)]) {
      writeFileSync(file, bytes)
      const error = await failure(file)
      expect(error, `${bytes.length}`).to.be.instanceOf(ArchiveError).that.includes({ code: 'ENOTSUP' })
      expect((error as ArchiveError).message).to.match(/x: begins with \d+ bytes of zeros, and is not an archive$/)
      writeFileSync(file, gzipSync(bytes))
      const within = await failure(file)
      expect(within, `${bytes.length} within gzip`).to.include({
        code: 'ENOTSUP',
        hint: 'an ISO 9660 image or a disk file that was cut off looks like this; make the archive again',
      })
      expect((within as ArchiveError).message).to.match(
        /x: holds, inside gzip, something that begins with \d+ bytes of zeros, and is not an archive$/,
      )
    }
    writeFileSync(file, lostItsStart)
    expect(await failure(file)).to.include({ code: 'ENOTSUP' })
  })

  for (const [what, bytes, message] of [
    ['text', 'hello, world\n', /x: is text, not an archive/],
    ['a database', 'SQLite format 3\0...', /x: is an SQLite database/],
    ['noise', '\x01\x02\x03\xff', /x: is not an archive: it begins with 01 02 03 c3/],
    ['7z', Buffer.from("7z\xbc\xaf'\x1c", 'latin1'), /x: is a 7z archive, which is not supported/],
    ['a RAR archive', 'Rar!\x1a\x07', /x: is a RAR archive/],
    ['lz4', Buffer.from([4, 0x22, 0x4d, 0x18]), /x: is compressed by lz4, which is not supported/],
  ] as const) {
    it(`says what it is that is not an archive: ${what}`, async () => {
      const file = join(scratch(), 'x')
      writeFileSync(file, bytes)
      const error = await failure(file)
      expect(error).to.be.instanceOf(ArchiveError).that.includes({ code: 'ENOTSUP' })
      expect((error as ArchiveError).message).to.match(message)
      expect((error as ArchiveError).hint).to.be.a('string')
    })
  }

  it('says of each kind that it knows and cannot read which one it is, and how to read it', async () => {
    const readable =
      'can be read: tar, zip, cpio, iso9660, or a directory; compressed by gzip, bzip2, xz or zstd, or not'
    const file = join(scratch(), 'x')
    for (const [magic, what, hint = readable] of [
      ['7z\xbc\xaf\x27\x1c', 'a 7z archive', 'unpack it with `7z x`, and give the directory'],
      ['Rar!\x1a\x07', 'a RAR archive'],
      ['xar!', 'a xar archive'],
      ['!<arch>\n', 'an ar archive'],
      ['\xc7\x71', 'a binary cpio archive'],
      ['\x71\xc7', 'a binary cpio archive'],
      ['\x1f\x9d', 'compressed by compress (.Z)'],
      ['LZIP', 'compressed by lzip'],
      ['\x04\x22\x4d\x18', 'compressed by lz4'],
      ['\x89LZO', 'compressed by lzop'],
      ['\x5d\0\0', 'compressed by lzma'],
      ['SQLite format 3\0', 'an SQLite database'],
      ['\x7fELF', 'a program'],
      ['%PDF-', 'a PDF document'],
      ['#mtree', 'an mtree listing'],
      ['WARC/', 'a WARC archive'],
    ] as const) {
      writeFileSync(file, Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(600, '\x01')]))
      const { message, hint: said } = (await failure(file)) as ArchiveError
      const why = what.startsWith('compressed')
        ? 'which is not supported'
        : '(?:which is not supported|not an archive that can be read)'
      expect(message).to.match(new RegExp(`^${file}: is ${what.replace(/[().]/g, '\\$&')}, ${why}`))
      if (hint === readable) expect(said).to.be.a('string')
      else expect(said).to.equal(hint)
    }
  })

  it('refuses a zip within gzip, which it could not read from the end', async () => {
    const dir = scratch()
    shell(`gzip -c '${fixture('archives', 'snapshot.zip')}' > x`, dir)
    expect(await failure(join(dir, 'x'))).to.include({
      code: 'ENOTSUP',
      message: `${join(dir, 'x')}: is compressed by gzip, which is not supported for zip`,
      hint: 'uncompress it first',
    })
  })

  it('says where it cannot copy a zip from a pipe', async () => {
    const dir = scratch()
    const zip = readFileSync(fixture('archives', 'snapshot.zip'))
    const TMPDIR = join(dir, 'absent')
    const spooled = () => Source.spool(Readable.from([zip]), 'standard input')
    expect(await withEnv({ TMPDIR }, spooled).catch((error) => error)).to.include({
      code: 'ENOENT',
      message: `cannot copy standard input to a temporary file in ${TMPDIR}: No such file or directory`,
      hint: 'set TMPDIR to another directory',
    })
  })

  it('names a file that is not there', async () => {
    const file = join(scratch(), 'nosuch.tar')
    const error = await failure(file)
    expect(error).to.include({ code: 'ENOENT', message: `cannot open ${file}: No such file or directory` })
  })

  it('can be called off, and left before the end', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 't'))
    writeFileSync(join(dir, 't/a'), Buffer.alloc(5_000_000))
    for (const line of ['tar -C t -cf x .', 'tar -C t -czf x .', 'tar -C t -cJf x .', 'tar -C t -cjf x .']) {
      shell(line, dir)
      {
        await using archive = await openArchive(join(dir, 'x'))
        for await (const batch of archive.batches()) if (batch.length > 0) break
      }
      const controller = new AbortController()
      let error: unknown
      try {
        await using archive = await openArchive(join(dir, 'x'), { signal: controller.signal })
        for await (const batch of archive.batches()) {
          controller.abort()
          for (const member of batch) if (member.stream) for await (const _ of member.stream());
        }
      } catch (thrown) {
        error = thrown
      }
      // What had been read ahead may have been all there was.
      if (line === 'tar -C t -cf x .') expect(error).to.include({ code: 'EINTR' })
    }
  })

  it('counts what it has read of how much', async () => {
    await using archive = await openArchive(fixture('archives', 'snapshot.tgz'))
    for await (const _ of archive.batches());
    expect(archive.bytesRead).to.equal(archive.size)
  })
})
