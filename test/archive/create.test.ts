/** What holds for archives of every format and filter, from the first byte to the last. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { archiveTypeOf, createArchive } from '../../src/archive/index.ts'
import { readMembers, shell } from '../support/archives.ts'
import { scratch } from '../support/fixtures.ts'
import { ATTRIBUTES, WRITTEN, writeTree } from '../support/write-archive.ts'

/** Lines that list `$FILE`, for a reader that knows the format. */
const LISTS = {
  tar: 'tar -tf $FILE',
  cpio: 'cpio -it --quiet < $FILE',
  zip: 'bsdtar -tf $FILE',
  iso9660: 'bsdtar -tf $FILE',
  directory: 'ls -A $FILE',
}

/** What writes archives of noise, and says how each failed, and what it left. */
const WRITER = `
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
const [module, dir, ...extensions] = process.argv.slice(1)
const { createArchive } = await import(module)
const noise = randomBytes(3 << 20)
const said = {}
for (const [n, extension] of extensions.entries()) {
  mkdirSync(dir + '/' + n)
  const attributes = { mode: 0o644, uid: 1, gid: 2, mtimeSeconds: 3 }
  const archive = await createArchive(dir + '/' + n + '/x' + extension, { attributes, threads: 2 })
  let failure
  try {
    for (const name of ['a', 'b', 'c']) {
      archive.file(name, noise.length, [noise])
      await archive.flush()
    }
    await archive.finish()
  } catch (error) {
    failure = error
  }
  await archive.abort()
  said[extension] = { code: failure?.code, message: failure?.message, left: readdirSync(dir + '/' + n) }
}
console.log(JSON.stringify(said))`

describe('archive/create', () => {
  for (const extension of [...WRITTEN, '/']) {
    it(`makes an archive of nothing, which is one all the same: ${extension}`, async () => {
      const dir = scratch()
      const file = join(dir, `x${extension}`)
      await writeTree(file, {})
      expect(readdirSync(dir)).to.deep.equal([`x${extension}`.replace('/', '')])
      expect((await readMembers(file)).filter(({ path }) => path !== '')).to.deep.equal([])
      const listed = shell(LISTS[archiveTypeOf(file).format], dir, { FILE: file }).toString()
      expect(listed.replace(/^\.\/?\n/, '')).to.equal('')
    })

    it(`can be called off until the last moment, and then leaves nothing behind: ${extension}`, async () => {
      const dir = scratch()
      const noise = randomBytes(3 << 20)
      const controller = new AbortController()
      const options = { attributes: ATTRIBUTES, threads: 2, signal: controller.signal }
      const archive = await createArchive(join(dir, `x${extension}`), options)
      archive.file('a', noise.length, [noise])
      await archive.flush()
      controller.abort()
      expect(await archive.finish().catch((error) => error)).to.include({ code: 'EINTR' })
      await archive.abort()
      expect(readdirSync(dir)).to.deep.equal([])
    })
  }

  it('says in every format that there is no more room, leaves nothing behind, and nothing running', () => {
    const dir = scratch()
    mkdirSync(join(dir, 'out'))
    // No file may have more than 2 MiB; that it is ignored is what makes the signal for it an error.
    const script = 'trap "" XFSZ; ulimit -f 4096; exec "$0" --input-type=module -e "$@"'
    const module = new URL('../../src/archive/index.ts', import.meta.url).href
    const extensions = [...WRITTEN, '/']
    const argv = ['-c', script, process.execPath, WRITER, module, join(dir, 'out'), ...extensions]
    const { status, stdout, stderr } = spawnSync('sh', argv, { timeout: 50_000 })
    expect({ status, stderr: stderr.toString() }).to.deep.equal({ status: 0, stderr: '' })
    const said = JSON.parse(stdout.toString())
    for (const [n, extension] of extensions.entries()) {
      const what = extension === '.iso' ? 'a temporary file in ' : ''
      const where = `${dir}/out/${n}${extension === '.iso' ? '' : `/x${extension}`}`
      const message = `cannot write ${what}${where}: File too large`
      expect(said[extension], extension).to.deep.equal({ code: 'EFBIG', message, left: [] })
    }
  })

  it('is not begun with an attribute that is no number, whatever its format', async () => {
    const dir = scratch()
    for (const extension of ['.tar', '.tgz', '.cpio', '.zip', '.iso', '/']) {
      for (const [name, value] of Object.entries({ mode: -1, uid: Number.NaN, gid: 1.5, mtimeSeconds: Number.NaN })) {
        const attributes = { ...ATTRIBUTES, [name]: value }
        const error = await createArchive(join(dir, `x${extension}`), { attributes }).catch((e) => e)
        expect(error).to.include({ code: 'EINVAL' })
        expect(error.message).to.match(new RegExp(`^${name} ${value}: not a whole number`))
      }
    }
    expect(readdirSync(dir)).to.deep.equal([])
  })
})
