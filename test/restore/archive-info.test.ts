import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { archiveInfo } from '../../src/restore/index.ts'
import { copyOf, fixture, scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'

describe('restore/archive-info', () => {
  for (const [name, file] of [
    ['jobs', 'dump.tgz'],
    ['archives', 'snapshot.zip'],
    ['archives-cpio', 'snapshot.cpio'],
  ] as const) {
    it(`gives the root that flux restore made of ${name}/${file}`, async () => {
      const restored = JSON.parse(readFileSync(fixture(name, 'restored.json'), 'utf8'))
      expect((await archiveInfo(fixture(name, file))).rootref).to.equal(restored[file].sha1.rootref)
    })
  }

  it('counts what is in an archive, and says from when it is', async () => {
    const { members, ...info } = await archiveInfo(fixture('archives', 'snapshot.iso'))
    expect(members).to.deep.equal({ directory: 8, file: 6, symlink: 2 })
    expect(info).to.include({ format: 'iso9660', filter: 'none', fileBytes: 413696, keys: 8, symlinks: 2, warnings: 0 })
    expect(info.newest).to.be.at.least(info.oldest as number)
  })

  it('has a root of the algorithm asked for', async () => {
    expect((await archiveInfo(fixture('basic', 'dump.tar'), { hash: 'sha256' })).rootref).to.match(
      /^sha256-[0-9a-f]{64}$/,
    )
  })

  it('counts what is not as it should be', async () => {
    const dir = scratch()
    const script = 'echo 1 > a; echo 2 > b.c; tar cf x.tar a b.c; tar rf x.tar a; tar --mtime=@0 -rf x.tar a'
    run('sh', ['-c', `cd '${dir}' && ${script}`])
    const warnings: string[] = []
    const info = await archiveInfo(join(dir, 'x.tar'), { onWarning: (message) => warnings.push(message) })
    expect(info).to.include({ keys: 2, bytes: 4, warnings: 3 })
    expect(warnings).to.have.length(3)
  })

  it('reads a directory, which has no size of its own, and an archive without times', async () => {
    const dir = scratch()
    run('sh', ['-c', `cd '${dir}' && mkdir in && echo 1 > in/a && touch -d @0 in/a && tar cf x.tar -C in a`])
    expect(await archiveInfo(join(dir, 'in'))).to.include({ format: 'directory', keys: 1, fileBytes: undefined })
    expect(await archiveInfo(join(dir, 'x.tar'))).to.include({ oldest: undefined, newest: undefined })
  })

  it('finds damage up to the last byte', async () => {
    const file = copyOf('jobs', 'dump.tgz')
    truncateSync(file, readFileSync(file).length - 1)
    expect(await archiveInfo(file).catch((error) => error)).to.include({ name: 'ArchiveError', code: 'EBADMSG' })
  })
})
