import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createArchive, openSink } from '../../src/archive/index.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'

describe('archive/sink', () => {
  it('makes a file appear under its name when it is complete, not before', async () => {
    const dir = scratch()
    const path = join(dir, 'x.tar')
    const sink = await openSink(path)
    await sink.write([Buffer.from('one '), Buffer.from('two')])
    expect(readdirSync(dir)).to.have.length(1).and.not.include('x.tar')
    await sink.commit()
    expect(readdirSync(dir)).to.deep.equal(['x.tar'])
    expect(readFileSync(path, 'utf8')).to.equal('one two')
  })

  it('leaves nothing behind when it is given up, and an older file as it was', async () => {
    const dir = scratch()
    const path = join(dir, 'x.tar')
    writeFileSync(path, 'old')
    const sink = await openSink(path)
    await sink.write([Buffer.from('new')])
    await sink.abort()
    expect(readdirSync(dir)).to.deep.equal(['x.tar'])
    expect(readFileSync(path, 'utf8')).to.equal('old')
  })

  it('leaves nothing behind when its mode cannot be set, and an older file as it was', async () => {
    const dir = scratch()
    const path = join(dir, 'x.tar')
    writeFileSync(path, 'old')
    const fchmodSync = () => {
      throw systemError('EPERM')
    }
    const error = await withBuiltin(fs, { fchmodSync }, () => openSink(path, undefined, 0o640)).catch((error) => error)
    expect(error).to.include({ code: 'EPERM' })
    expect(error.message).to.match(/^cannot write .*x\.tar: Operation not permitted$/)
    expect(readdirSync(dir)).to.deep.equal(['x.tar'])
    expect(readFileSync(path, 'utf8')).to.equal('old')
  })

  it('takes nothing more once it is called off, not even to its end', async () => {
    const dir = scratch()
    const controller = new AbortController()
    const sink = await openSink(join(dir, 'x.tar'), controller.signal)
    await sink.write([Buffer.from('new')])
    controller.abort()
    expect(await sink.write([Buffer.from('more')]).catch((error) => error)).to.include({ code: 'EINTR' })
    expect(await sink.commit().catch((error) => error)).to.include({ code: 'EINTR' })
    await sink.abort()
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('keeps the permissions of a file that it replaces', async () => {
    const path = join(scratch(), 'x.tar')
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    const sink = await openSink(path)
    await sink.commit()
    expect(statSync(path).mode & 0o777).to.equal(0o600)
  })

  it('is of its owner alone when it is new, or replaces the file of somebody else, unless it is told otherwise', async () => {
    const path = join(scratch(), 'x.tar')
    const write = async (mode?: number) => {
      const sink = await openSink(path, undefined, mode)
      await sink.commit()
      return (statSync(path).mode & 0o7777).toString(8)
    }
    const umask = process.umask(0)
    try {
      expect(await write()).to.equal('600')
      expect(await write(0o664)).to.equal('664')
      expect(await write()).to.equal('664')
      if (process.geteuid?.() !== 0) return
      chownSync(path, 12345, 12345)
      expect(await write()).to.equal('600')
      expect(statSync(path).uid).to.equal(0)
      chownSync(path, 0, 12345)
      chmodSync(path, 0o640)
      expect(await write()).to.equal('640')
      expect(statSync(path).gid).to.equal(12345)
    } finally {
      process.umask(umask)
    }
  })

  it('follows no link of another user in a sticky directory', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const dir = scratch()
    const victim = join(scratch(), 'victim')
    writeFileSync(victim, 'mine')
    chmodSync(dir, 0o1777)
    symlinkSync(victim, join(dir, 'x.tar'))
    lchownSync(join(dir, 'x.tar'), 12345, 12345)
    expect(await openSink(join(dir, 'x.tar')).catch((error) => error)).to.include({ code: 'EACCES' })
    expect(readFileSync(victim, 'utf8')).to.equal('mine')
  })

  it('does not give its name to what took the place of its file', async () => {
    const dir = scratch()
    const path = join(dir, 'x.tar')
    writeFileSync(path, 'old')
    const sink = await openSink(path)
    const [part = ''] = readdirSync(dir).filter((name) => name.endsWith('.part'))
    rmSync(join(dir, part))
    symlinkSync('/etc/passwd', join(dir, part))
    await sink.write([Buffer.from('new')])
    expect(await sink.commit().catch((error) => error)).to.include({ code: 'EBUSY' })
    await sink.abort()
    expect(readFileSync(path, 'utf8')).to.equal('old')
  })

  it('does not wait for a pipe to be opened when it is called off', async () => {
    const path = join(scratch(), 'x.tar')
    run('mkfifo', [path])
    const controller = new AbortController()
    const opening = openSink(path, controller.signal).catch((error) => error)
    setImmediate(() => controller.abort())
    expect(await opening).to.include({ code: 'EINTR' })
  })

  it('makes what a symbolic link points to when it is not there yet, and keeps the link', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'real'))
    symlinkSync('real/y.tar', join(dir, 'x.tar'))
    symlinkSync('x.tar', join(dir, 'w.tar'))
    const sink = await openSink(join(dir, 'w.tar'))
    await sink.write([Buffer.from('new')])
    await sink.commit()
    expect(readFileSync(join(dir, 'real/y.tar'), 'utf8')).to.equal('new')
    expect(lstatSync(join(dir, 'w.tar')).isSymbolicLink()).to.equal(true)
    expect(readdirSync(join(dir, 'real'))).to.deep.equal(['y.tar'])
  })

  it('replaces what a symbolic link points to, and keeps the link', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'real'))
    writeFileSync(join(dir, 'real', 'y.tar'), 'old')
    symlinkSync('real/y.tar', join(dir, 'x.tar'))
    const sink = await openSink(join(dir, 'x.tar'))
    await sink.write([Buffer.from('new')])
    await sink.commit()
    expect(readdirSync(join(dir, 'real'))).to.deep.equal(['y.tar'])
    expect(readFileSync(join(dir, 'real', 'y.tar'), 'utf8')).to.equal('new')
    expect(readdirSync(dir).sort()).to.deep.equal(['real', 'x.tar'])
  })

  it('writes into a pipe as it is', async () => {
    const path = join(scratch(), 'x.tar')
    run('mkfifo', [path])
    const reader = spawn('cat', [path])
    let text = ''
    reader.stdout.on('data', (data) => {
      text += data
    })
    const ended = new Promise((resolve) => reader.on('close', resolve))
    const sink = await openSink(path)
    await sink.write([Buffer.from('through a pipe')])
    await sink.commit()
    await ended
    expect(text).to.equal('through a pipe')
    expect(statSync(path).isFIFO()).to.equal(true)
  })

  describe('a pipe whose reader closes it', () => {
    /** More bytes than the pipe holds. */
    const LARGE = 20_000

    async function writeTo(path: string): Promise<void> {
      const attributes = { mode: 0o600, uid: 0, gid: 0, mtimeSeconds: 0 }
      await using archive = await createArchive(path, { attributes })
      archive.file('a', LARGE, [Buffer.alloc(LARGE, 'text')])
      await archive.finish({ 'FLUX.rootref': 'x'.repeat(LARGE) })
    }

    /** Through a pipe that holds 4096 bytes (F_SETPIPE_SZ), of which its reader takes so many. */
    async function intoPipe(file: string, bytes: number): Promise<string | undefined> {
      const path = join(scratch(), file)
      run('mkfifo', [path])
      const script = `import fcntl, os, sys
pipe = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(pipe, 1031, 4096)
print('ready', flush=True)
left = int(sys.argv[2])
while left > 0: left -= len(os.read(pipe, left))`
      const reader = spawn('python3', ['-c', script, path, String(bytes)])
      const ended = new Promise((resolve) => reader.on('close', resolve))
      await once(reader.stdout, 'data')
      const code = await writeTo(path).then(
        () => undefined,
        (error) => error.code,
      )
      await ended
      return code
    }

    for (const [file, endOf] of [
      // Two blocks of zeros.
      ['x.tar', (bytes: Buffer) => Math.ceil(bytes.indexOf(Buffer.alloc(1024)) / 512) * 512 + 1024],
      ['x.cpio', (bytes: Buffer) => bytes.indexOf('TRAILER!!!\0') + 11],
    ] as const) {
      it(`is no failure where the archive has ended for it: ${file}`, async () => {
        const path = join(scratch(), file)
        await writeTo(path)
        expect(await intoPipe(file, endOf(readFileSync(path)))).to.equal(undefined)
      })

      it(`is one before: ${file}`, async () => {
        expect(await intoPipe(file, 512)).to.equal('EPIPE')
      })
    }
  })

  it('does not wait for a reader of its pipe when it is called off', async () => {
    const path = join(scratch(), 'x.tar')
    run('mkfifo', [path])
    const reader = spawn('sh', ['-c', 'exec sleep 1000 < "$0"', path])
    const controller = new AbortController()
    const sink = await openSink(path, controller.signal)
    const writing = sink.write([Buffer.alloc(1 << 20)]).catch((error) => error)
    setImmediate(() => controller.abort())
    expect(await writing).to.include({ code: 'EINTR' })
    await sink.abort()
    reader.kill()
  })

  it('names the file and the reason when it cannot be made', async () => {
    const dir = scratch()
    const absent = join(dir, 'no', 'x.tar')
    expect(await openSink(absent).catch((e) => e)).to.include({
      code: 'ENOENT',
      message: `cannot write ${absent}: No such file or directory`,
    })
    expect(await openSink(dir).catch((e) => e)).to.include({ code: 'EISDIR' })
  })

  it('takes a name as long as the file system allows', async () => {
    const path = join(scratch(), `${'n'.repeat(251)}.tar`)
    const sink = await openSink(path)
    await sink.commit()
    expect(statSync(path).size).to.equal(0)
  })
})
