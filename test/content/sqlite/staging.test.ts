import fs, { constants, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { type Staged, stage } from '../../../src/content/sqlite/staging.ts'
import { systemError, withBuiltin } from '../../support/builtin.ts'
import { scratch } from '../../support/fixtures.ts'

/** A database and its journal, as files; TMPDIR of the test is a directory beside them. */
function made(suffix: '-wal' | '-journal') {
  const base = scratch()
  const database = join(base, 'flux/state/content.sqlite')
  mkdirSync(dirname(database), { recursive: true })
  writeFileSync(database, 'the database')
  writeFileSync(database + suffix, 'the journal')
  const tmp = join(base, 'tmp')
  mkdirSync(tmp)
  return { database, tmp, names: () => [...readdirSync(dirname(database)), ...readdirSync(tmp)] }
}

async function staged(database: string, suffix: string, tmp: string, changes: Partial<typeof fs>): Promise<Staged> {
  const { TMPDIR } = process.env
  process.env.TMPDIR = tmp
  try {
    expect(tmpdir()).to.equal(tmp)
    return await withBuiltin(fs, changes, () => stage(database, [suffix], []))
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
}

const { copyFileSync } = fs
/** Another file system, on which nothing can be linked. */
const apart: Partial<typeof fs> = {
  linkSync: () => {
    throw systemError('EXDEV')
  },
  copyFileSync: (from, to, mode = 0) => {
    if ((mode & constants.COPYFILE_FICLONE_FORCE) !== 0) throw systemError('ENOTSUP')
    copyFileSync(from, to, mode)
  },
}

describe('content/sqlite/staging', () => {
  it('gives a database and its write-ahead log second names, which are removed', async () => {
    const { database, tmp, names } = made('-wal')
    const { path, remove } = await staged(database, '-wal', tmp, {})
    expect(dirname(dirname(path))).to.equal(tmp)
    for (const suffix of ['', '-wal']) expect(statSync(path + suffix).ino).to.equal(statSync(database + suffix).ino)
    remove()
    expect(names()).to.deep.equal(['content.sqlite', 'content.sqlite-wal'])
  })

  for (const suffix of ['-wal', '-journal'] as const) {
    it(`copies them where nothing can be linked: ${suffix}`, async () => {
      const { database, tmp, names } = made(suffix)
      const { path, remove } = await staged(database, suffix, tmp, apart)
      expect(readFileSync(path, 'utf8') + readFileSync(path + suffix, 'utf8')).to.equal('the databasethe journal')
      expect(statSync(path).ino).not.to.equal(statSync(database).ino)
      expect(statSync(dirname(path)).mode & 0o777).to.equal(0o700)
      remove()
      expect(names()).to.deep.equal(['content.sqlite', `content.sqlite${suffix}`])
    })
  }

  it('does not link a database whose journal SQLite would apply to it', async () => {
    const { database, tmp } = made('-journal')
    const { path, remove } = await staged(database, '-journal', tmp, {
      linkSync: () => {
        throw new Error('it is linked')
      },
    })
    writeFileSync(path, 'changed')
    expect(readFileSync(database, 'utf8')).to.equal('the database')
    remove()
  })

  it('says how much room a copy takes when there is too little, and leaves nothing', async () => {
    const { database, tmp, names } = made('-journal')
    const statfsSync = (() => ({ bavail: 2, bsize: 10 })) as unknown as typeof fs.statfsSync
    const error = await staged(database, '-journal', tmp, { ...apart, statfsSync }).catch((error) => error)
    expect(error).to.include({ code: 'ENOSPC' })
    expect(error.message).to.equal(
      `${database}: has a -journal left by a crash, and reading that takes a copy of 23 bytes, but ${tmp} has only 20 bytes free`,
    )
    expect(names()).to.deep.equal(['content.sqlite', 'content.sqlite-journal'])
  })

  it('says that it cannot copy, and leaves nothing', async () => {
    const { database, tmp, names } = made('-wal')
    const failing: typeof copyFileSync = (from) => {
      if (String(from).endsWith('-wal')) throw systemError('EIO')
    }
    const error = await staged(database, '-wal', tmp, { ...apart, copyFileSync: failing }).catch((error) => error)
    expect(error).to.include({ code: 'EIO', message: `cannot copy ${database} to ${tmp}: Input/output error` })
    expect(names()).to.deep.equal(['content.sqlite', 'content.sqlite-wal'])
  })
})
