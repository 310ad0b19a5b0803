import {
  chmodSync,
  existsSync,
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
import { type CreateArchiveOptions, compareChecksum, createArchive } from '../../src/archive/index.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'
import { ATTRIBUTES, WRITTEN } from '../support/write-archive.ts'

async function write(file: string, options: Partial<CreateArchiveOptions> = {}): Promise<void> {
  await using archive = await createArchive(file, { attributes: ATTRIBUTES, checksum: true, ...options })
  archive.file('a', 3, [Buffer.from('abc')])
  await archive.flush()
  await archive.finish()
}

describe('archive: the checksum of an archive', () => {
  for (const extension of WRITTEN.filter((one) => one !== '/')) {
    it(`is what sha256sum accepts: ${extension}`, async () => {
      const dir = scratch()
      await write(join(dir, `x${extension}`))
      expect(run('sh', ['-c', `cd '${dir}' && sha256sum -c x${extension}.sha256`]).toString()).to.equal(
        `x${extension}: OK\n`,
      )
      expect(readdirSync(dir).sort()).to.deep.equal([`x${extension}`, `x${extension}.sha256`])
      const compared = await compareChecksum(join(dir, `x${extension}`))
      expect(compared?.found).to.equal(compared?.recorded)
    })
  }

  it('is accepted for a name that has to be escaped', async () => {
    const dir = scratch()
    await write(join(dir, 'a\\b\nc.tar'))
    expect(run('sh', ['-c', `cd '${dir}' && sha256sum --status -c *.sha256 && echo good`]).toString()).to.equal(
      'good\n',
    )
    const compared = await compareChecksum(join(dir, 'a\\b\nc.tar'))
    expect(compared?.found).to.equal(compared?.recorded)
  })

  it('has the permissions of the archive, and replaces an older one', async () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(`${file}.sha256`, 'older')
    await write(file, { fileMode: 0o640 })
    expect(statSync(`${file}.sha256`).mode & 0o777).to.equal(0o640)
    expect(readFileSync(`${file}.sha256`, 'latin1')).to.match(/^[0-9a-f]{64} {2}x\.tar\n$/)
  })

  it('goes with the archive that it is of, when that is replaced by one without', async () => {
    const dir = scratch()
    const file = join(dir, 'x.tar')
    const digest = 'a'.repeat(64)
    for (const older of [`${digest}  x.tar\n`, `${digest} *x.tar\n`]) {
      writeFileSync(file, 'older')
      writeFileSync(`${file}.sha256`, older)
      await write(file, { checksum: false })
      expect(readdirSync(dir)).to.deep.equal(['x.tar'])
    }
    const escaped = join(scratch(), 'a\\b.tar')
    await write(escaped)
    await write(escaped, { checksum: false })
    expect(existsSync(`${escaped}.sha256`)).to.equal(false)
  })

  it('goes with an archive that is replaced by way of a link', async () => {
    for (const checksum of [false, true]) {
      const dir = scratch()
      await write(join(dir, 'x.tar'))
      symlinkSync('x.tar', join(dir, 'latest.tar'))
      await write(join(dir, 'latest.tar'), { checksum })
      const names = readdirSync(dir).sort()
      expect(names).to.deep.equal(['latest.tar', ...(checksum ? ['latest.tar.sha256'] : []), 'x.tar'])
    }
  })

  it('stays when no archive is replaced: the one that it is of is elsewhere', async () => {
    const file = join(scratch(), 'x.tar')
    await write(file)
    rmSync(file)
    await write(file, { checksum: false })
    expect(existsSync(`${file}.sha256`)).to.equal(true)
  })

  it('stays when it is not of that archive alone, or the new one does not come to be', async () => {
    const dir = scratch()
    const file = join(dir, 'x.tar')
    const digest = 'a'.repeat(64)
    for (const other of ['', 'a note\n', `${digest}  y.tar\n`, `${digest}  x.tar\n${digest}  y.tar\n`]) {
      writeFileSync(`${file}.sha256`, other)
      await write(file, { checksum: false })
      expect(readFileSync(`${file}.sha256`, 'utf8')).to.equal(other)
    }
    writeFileSync(`${file}.sha256`, `${digest}  x.tar\n`)
    {
      await using archive = await createArchive(file, { attributes: ATTRIBUTES })
      archive.file('a', 3, [Buffer.from('abc')])
    }
    expect(existsSync(`${file}.sha256`)).to.equal(true)
    writeFileSync(join(dir, 'list'), `${digest}  x.tar\n`)
    rmSync(`${file}.sha256`)
    symlinkSync('list', `${file}.sha256`)
    await write(file, { checksum: false })
    expect(readdirSync(dir).sort()).to.deep.equal(['list', 'x.tar', 'x.tar.sha256'])
  })

  it('follows a link to the archive, and has the name that was given', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'far'))
    symlinkSync('far/real.tar', join(dir, 'x.tar'))
    await write(join(dir, 'x.tar'))
    expect(run('sh', ['-c', `cd '${dir}' && sha256sum -c x.tar.sha256`]).toString()).to.equal('x.tar: OK\n')
  })

  it('never stands beside another archive: the older one goes before the archive is replaced', async () => {
    const dir = scratch()
    const file = join(dir, 'x.tar')
    await write(file)
    const older = readFileSync(file)
    // Its directory takes no further name: the archive cannot be replaced.
    let seen: string[] = []
    const beforeNaming = async () => {
      seen = readdirSync(dir).filter((name) => !name.startsWith('.'))
      throw new Error('not good')
    }
    await write(file, { beforeNaming }).catch(() => {})
    // Until then, the older pair is untouched.
    expect(seen).to.include.members(['x.tar', 'x.tar.sha256'])
    expect(readFileSync(file).equals(older)).to.equal(true)
    expect(readdirSync(dir).sort()).to.deep.equal(['x.tar', 'x.tar.sha256'])
    expect((await compareChecksum(file))?.found).to.equal((await compareChecksum(file))?.recorded)
  })

  it('is refused for what is no file, before anything is written', async () => {
    const dir = scratch()
    for (const file of [`${join(dir, 'd')}/`, '-', '/dev/null']) {
      expect(
        await write(file, { format: file.endsWith('/') ? undefined : 'tar' }).catch((error) => error),
        file,
      ).to.include({
        code: 'EINVAL',
      })
    }
    mkdirSync(join(dir, 'x.tar.sha256'))
    expect(await write(join(dir, 'x.tar')).catch((error) => error)).to.include({
      code: 'EEXIST',
      message: `cannot write ${join(dir, 'x.tar')}.sha256: something else than a file has that name`,
      hint: 'move that away, or choose another name',
    })
    expect(readdirSync(dir)).to.deep.equal(['x.tar.sha256'])
  })

  it('is compared with the archive, if there is one', async () => {
    const file = join(scratch(), 'x.tar')
    await write(file)
    const bytes = readFileSync(file)
    bytes[600] = 1
    writeFileSync(file, bytes)
    const compared = await compareChecksum(file)
    expect(compared?.found).to.not.equal(compared?.recorded)
    writeFileSync(`${file}.sha256`, 'no checksum')
    expect(await compareChecksum(file).catch((error) => error)).to.include({
      code: 'EPROTO',
      message: `${file}.sha256: holds no checksum of sha256sum`,
      hint: `make it anew with sha256sum, or remove it`,
    })
    chmodSync(`${file}.sha256`, 0o600)
    expect(existsSync(`${join(scratch(), 'y.tar')}.sha256`)).to.equal(false)
    expect(await compareChecksum(join(scratch(), 'y.tar'))).to.equal(undefined)
  })
})
