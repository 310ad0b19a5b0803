/** The built CLI as a process: what `runCommand` never sees. */
import { spawn, spawnSync } from 'node:child_process'
import { linkSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs, has, run } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'
import { Blobs, dir, type Tree, valref, writeSqlite } from '../support/trees.ts'

const BASIC = fixture('basic')

/** A store large enough that a dump of it takes a while. */
function largeStore(path: string): void {
  const blobs = new Blobs()
  const entries: Record<string, Tree> = {}
  for (let n = 0; n < 40; n++) {
    const values: Record<string, Tree> = {}
    for (let k = 0; k < 500; k++) values[`key${k}`] = valref(`${n} ${k} `.repeat(60))
    entries[`dir${n}`] = dir(values)
  }
  writeSqlite(join(path, 'content.sqlite'), blobs, [blobs.tree(entries)])
}

describe('flux-ts dump', () => {
  it('writes the archive, and to stderr alone how many keys are in it', () => {
    const outfile = join(scratch(), 'x.tar')
    const { status, stdout, stderr } = fluxTs(['dump', '--store', BASIC, outfile])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 0, stdout: '' })
    expect(stderr).to.equal('flux-ts dump: archived 13 keys\n')
    expect(readTar(outfile)).to.have.length(13)
  })

  it('writes an uncompressed tar to standard output, filled up to a record, and nothing else', () => {
    const { status, stdout, stderr } = fluxTs(['dump', '-q', '--store', BASIC, '-'])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout.length % 10_240).to.equal(0)
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, stdout)
    expect(readTar(file).map(({ name }) => name)).to.deep.equal(expected('basic').entries.map(({ path }) => path))
  })

  it('writes to a pipe that has no name but that of a descriptor', () => {
    // As in `flux-ts dump >(ssh host ...)`.
    for (const outfile of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']) {
      const command = `"$0" "$1" dump -q --format tar --store "$2" ${outfile} | cat`
      const piped = run('sh', ['-c', command, process.execPath, CLI, BASIC])
      const file = join(scratch(), 'x.tar')
      writeFileSync(file, piped)
      expect(readTar(file)).to.have.length(13)
    }
  })

  for (const format of ['tgz', 'zip', 'cpio', 'iso']) {
    it(`writes the same .${format} to standard output as to a file`, () => {
      const file = join(scratch(), `x.${format}`)
      const options = ['dump', '-q', '--store', fixture('values')]
      expect(fluxTs([...options, file]).status).to.equal(0)
      const { status, stdout, stderr } = fluxTs([...options, '--format', format, '-'])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(stdout.equals(readFileSync(file))).to.equal(true)
    })
  }

  it('says that it does not write .7z, and why', () => {
    const { status, stderr } = fluxTs(['dump', '--store', BASIC, join(scratch(), 'x.7z')])
    expect(status).to.equal(2)
    expect(stderr).to.include('7-Zip archives are not supported: no maintained library writes them')
  })

  it('is listed alike by GNU tar, bsdtar and Python', function () {
    if (!has('bsdtar')) this.skip()
    for (const name of ['jobs', 'basic', 'values']) {
      const file = join(scratch(), 'x.tgz')
      expect(fluxTs(['dump', '-q', '--store', fixture(name), file]).status).to.equal(0)
      const python = readTar(file).map((member) => member.name)
      const list = (tool: string, options: string[]) =>
        run(tool, ['-tf', file, ...options])
          .toString()
          .split('\n')
          .slice(0, -1)
      expect(list('tar', ['--quoting-style=literal'])).to.deep.equal(python)
      expect(list('bsdtar', [])).to.deep.equal(python)
    }
  })

  it('lists every path on stderr with -v, control characters made visible', () => {
    const { stderr } = fluxTs(['dump', '-v', '--store', fixture('names'), join(scratch(), 'x.tar')])
    const lines = stderr.split('\n').slice(0, -1)
    expect(lines).to.have.length(expected('names').entries.length)
    expect(lines).to.include('日本語/キー/値')
    expect(lines).to.include('ctl/bell\\x07esc\\x1b[31mred')
  })

  it('says nothing with -q', () => {
    expect(fluxTs(['dump', '-q', '--store', BASIC, join(scratch(), 'x.tar')]).stderr).to.equal('')
  })

  it('prints one JSON object with --json', () => {
    const outfile = join(scratch(), 'x.tgz')
    const { status, stdout, stderr } = fluxTs(['dump', '--json', '--store', BASIC, outfile])
    const { rootref, checkpoints } = expected('basic')
    const { seconds, unpackedBytes, fileBytes, recordedRootref, ...result } = JSON.parse(stdout.toString())
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(result).to.deep.equal({
      archive: outfile,
      format: 'tar',
      filter: 'gzip',
      rootref,
      hash: 'sha1',
      timestamp: checkpoints[0]?.timestamp,
      time: '2026-11-23T17:56:56Z',
      sequence: 20,
      namespace: null,
      keyCount: 13,
      symlinkCount: 5,
      blobCount: 10,
      directBlobCount: null,
      brokerBlobCount: null,
      valueBytes: 1728,
      skippedCount: 0,
      skippedDirectoryCount: 0,
      encodedCount: 0,
    })
    expect(seconds).to.be.a('number')
    expect(recordedRootref).to.match(/^sha1-[0-9a-f]{40}$/)
    expect(unpackedBytes).to.equal(15_360)
    expect(fileBytes).to.equal(statSync(outfile).size)
  })

  it('prints an error as JSON with --json, a wrong call too', () => {
    const failed = fluxTs(['dump', '--json', '--store', '/nonexistent', 'x.tar'])
    expect(failed.status).to.equal(1)
    expect(JSON.parse(failed.stdout.toString())).to.deep.equal({
      error: { code: 'ENOENT', message: 'cannot open store /nonexistent: No such file or directory', exit: 1 },
    })
    const wrong = fluxTs(['dump', '--json', '--bogus', 'x.tar'])
    expect(wrong.status).to.equal(2)
    expect(wrong.stdout.length).to.be.lessThan(500)
    expect(JSON.parse(wrong.stdout.toString()).error).to.include({ exit: 2 })
    const both = fluxTs(['dump', '--json', '--store', BASIC, '-'])
    expect(both.status).to.equal(2)
    expect(JSON.parse(both.stdout.toString()).error.message).to.equal('--json and - both want standard output')
  })

  it('fails on what cannot be read, in one line, and leaves no file', () => {
    const dirname = scratch()
    const { status, stdout, stderr } = fluxTs(['dump', '--store', fixture('damaged-dangling'), join(dirname, 'x.tar')])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 1, stdout: '' })
    expect(stderr).to.equal(
      'flux-ts dump: bad.dir: could not load content: No such file or directory (sha1-996324fa537cd312e564be576bafc21a3f63910d)\n',
    )
    expect(readdirSync(dirname)).to.deep.equal([])
  })

  it('goes on with --ignore-failed-read, and sums up what it skipped', () => {
    const args = ['dump', '--ignore-failed-read', '--store', fixture('damaged-dangling'), join(scratch(), 'x.tar')]
    const { status, stderr } = fluxTs(args)
    expect(status).to.equal(0)
    expect(stderr.split('\n')).to.have.length(5)
    expect(stderr).to.match(
      /^flux-ts dump: archived 4 keys, 2 skipped, 1 unreadable directory \(keys below it unknown\)$/m,
    )
  })

  it('exits 2 on wrong use, and says what is missing', () => {
    const missing = fluxTs(['dump'])
    expect(missing.status).to.equal(2)
    expect(missing.stderr)
      .to.match(/missing OUTFILE/)
      .and.match(/^Usage: flux-ts dump \[OPTIONS\] OUTFILE$/m)
    const unknown = fluxTs(['dump', '--store', BASIC, 'x.foo'])
    expect(unknown.status).to.equal(2)
    expect(unknown.stderr).to.match(/^flux-ts dump: x\.foo: .*\.tar, \.tgz, \.tar\.gz/)
    expect(fluxTs(['dump', '-q', '-v', 'x.tar']).status).to.equal(2)
    expect(fluxTs(['dump', '--root', 'sha1-x', 'x.tar']).stderr).to.match(/--root sha1-x: not a blobref/)
    expect(fluxTs(['dump', '--root', `sha1-${'0'.repeat(40)}`, '--checkpoint-index', '1', 'x.tar']).status).to.equal(2)
  })

  it('does not put the archive in the place of the store that it is of', () => {
    const store = copyOf('basic', 'content.sqlite')
    const before = readFileSync(store)
    const { status, stderr } = fluxTs(['dump', '--store', dirname(store), '--format', 'tar', store])
    expect(status).to.equal(2)
    expect(stderr).to.include(`flux-ts dump: ${store}: this is the store to be dumped; `)
    const link = join(dirname(store), 'link.tar')
    linkSync(store, link)
    for (const given of [store, dirname(store)]) {
      const refused = fluxTs(['dump', '--store', given, link])
      expect(refused.status).to.equal(2)
      expect(refused.stderr).to.include(`flux-ts dump: ${link}: this is the store to be dumped; `)
    }
    expect(readFileSync(store).equals(before)).to.equal(true)
    expect(readFileSync(link).equals(before)).to.equal(true)
  })

  it('writes what its owner alone may read, or what --mode says', () => {
    const outfile = join(scratch(), 'x.tar')
    const mode = (...args: string[]) => {
      const { status, stderr } = fluxTs(['dump', '-q', '--store', BASIC, ...args, outfile])
      return status === 0 ? (statSync(outfile).mode & 0o7777).toString(8) : stderr.split('\n')[0]
    }
    const umask = process.umask(0o027)
    try {
      expect(mode()).to.equal('600')
      expect(mode('--mode', 'umask')).to.equal('640')
      expect(mode()).to.equal('640')
      expect(mode('--mode', '0664')).to.equal('664')
      for (const wrong of ['4755', 'u=rw', '8', '']) {
        expect(mode('--mode', wrong)).to.include(`flux-ts dump: --mode ${wrong}: not permissions; `)
      }
      expect(readTar(outfile)[0]?.mode).to.equal(0o644)
    } finally {
      process.umask(umask)
    }
  })

  it('does not wait for an argument on standard input', () => {
    const { status } = fluxTs(['dump'], { input: Buffer.from('x.tar\n') })
    expect(status).to.equal(2)
  })

  it('shows help with -h and --help, on standard output', () => {
    const [short, long] = [fluxTs(['dump', '-h']), fluxTs(['dump', '--help'])]
    expect(short.status).to.equal(0)
    expect(short.stdout.toString())
      .to.equal(long.stdout.toString())
      .and.match(/--checkpoint-index=N/)
  })

  it('obeys SOURCE_DATE_EPOCH', () => {
    const outfile = join(scratch(), 'x.tar')
    const env = cleanEnv({ SOURCE_DATE_EPOCH: '12345' })
    expect(fluxTs(['dump', '-q', '--store', BASIC, outfile], { env }).status).to.equal(0)
    expect(readTar(outfile)[0]?.mtime).to.equal(12_345)
    const wrong = fluxTs(['dump', '--store', BASIC, outfile], { env: cleanEnv({ SOURCE_DATE_EPOCH: 'now' }) })
    expect(wrong.status).to.equal(2)
  })

  it('prints a stack trace with DEBUG, and only then', () => {
    const args = ['dump', '--store', '/nonexistent', 'x.tar']
    expect(fluxTs(args).stderr.split('\n')).to.have.length(2)
    // With names of sources and classes, though the tool is bundled.
    expect(fluxTs(args, { env: cleanEnv({ DEBUG: '1' }) }).stderr).to.match(
      /^FluxError: .*\n(?: .*\n)* +at .*src\/content\/open-store\.ts:\d+/m,
    )
  })

  it('ends quietly when nobody reads its standard output any more', () => {
    const dirname = scratch()
    largeStore(dirname)
    const script = `"${process.execPath}" "${CLI}" dump -q --store "${dirname}" - | head -c 1000 | wc -c`
    const { stdout, stderr } = spawnSync('sh', ['-c', script], { env: cleanEnv() })
    expect(stdout.toString().trim()).to.equal('1000')
    expect(stderr.toString()).to.equal('')
  })

  it('names the file when the disk is full', function () {
    if (process.platform !== 'linux') this.skip()
    // A device takes the place of the disk: it is written as it is.
    const dirname = scratch()
    largeStore(dirname)
    run('ln', ['-s', '/dev/full', join(dirname, 'x.tar')])
    const { status, stderr } = fluxTs(['dump', '-q', '--store', dirname, join(dirname, 'x.tar')])
    expect(status).to.equal(1)
    expect(stderr).to.equal(
      `flux-ts dump: cannot write ${dirname}/x.tar: No space left on device; make room, or write to another file system\n`,
    )
  })

  it('shows its three phases on a terminal, on stderr, while the archive goes to standard output', async () => {
    const dirname = scratch()
    largeStore(dirname)
    // script(1) gives stderr a terminal; stdout stays a file.
    const command = `stty cols 120 rows 40; "${process.execPath}" "${CLI}" dump --store "${dirname}" - > "${dirname}/x.tar"`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: cleanEnv({ TERM: 'xterm', COLUMNS: '120' }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let screen = ''
    child.stdout.on('data', (data) => {
      screen += data
    })
    await new Promise((resolve) => child.on('close', resolve))
    for (const part of [
      'Resolve root: sha1-',
      'Walk: 20,000 keys',
      'Write: 20,000 keys, 20,000 blobs, ',
      'archived 20000 keys',
    ]) {
      expect(screen).to.include(part)
    }
    expect(readTar(join(dirname, 'x.tar'))).to.have.length(20_000)
  })
})
