import { lstatSync, mkdirSync, type Stats, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ArchiveError, openArchive } from '../../../../src/archive/index.ts'
import { systemError, withBuiltin } from '../../../support/builtin.ts'
import { scratch } from '../../../support/fixtures.ts'

function tree(): string {
  const dir = scratch()
  mkdirSync(join(dir, 'd'))
  for (const [name, text] of Object.entries({ a: 'first', 'd/b': 'second', z: 'last' }))
    writeFileSync(join(dir, name), text)
  symlinkSync('a', join(dir, 'link'))
  return dir
}

/** The members but directories, as `path=content`, and what is lost. */
async function read(dir: string, isSalvaging: boolean) {
  const losses: ArchiveError[] = []
  const members: string[] = []
  await using archive = await openArchive(dir, isSalvaging ? { onLoss: (error) => losses.push(error) } : {})
  for await (const batch of archive.batches()) {
    for (const { path, type, data, linkname } of batch) {
      if (type !== 'directory') members.push(`${path}=${data ? Buffer.from(data) : linkname}`)
    }
  }
  return { members: members.sort(), losses }
}

const { lstat, open } = fsPromises

/** What may go wrong with the file `d/b`. */
const FAULTS: Record<string, { changes: Partial<typeof fsPromises>; code: string; message: RegExp }> = {
  'cannot be opened': {
    changes: {
      open: async (path, ...rest) => {
        if (String(path).endsWith('/b')) throw systemError('EACCES')
        return open(path, ...rest)
      },
    },
    code: 'EACCES',
    message: /^cannot read .*\/d\/b: Permission denied$/,
  },
  'is gone': {
    changes: {
      lstat: (async (path: string) => {
        if (path.endsWith('/b')) throw systemError('ENOENT')
        return lstat(path)
      }) as typeof lstat,
    },
    code: 'ENOENT',
    message: /^cannot read .*\/d\/b: No such file or directory$/,
  },
  'has become shorter': {
    changes: { lstat: (async (path: string) => sized(path, 100)) as typeof lstat },
    code: 'EIO',
    message: /d\/b: the file changed while it was read: it had 100 bytes$/,
  },
  'has grown': {
    changes: { lstat: (async (path: string) => sized(path, 3)) as typeof lstat },
    code: 'EIO',
    message: /d\/b: the file changed while it was read: it had 3 bytes$/,
  },
}

/** As if `d/b` had had another size. */
function sized(path: string, size: number): Stats {
  const stats = lstatSync(path)
  return path.endsWith('/b') ? Object.assign(stats, { size }) : stats
}

describe('archive/formats/directory/reader', () => {
  for (const [what, { changes, code, message }] of Object.entries(FAULTS)) {
    it(`fails with the name of a file that ${what}`, async () => {
      const error = await withBuiltin(fsPromises, changes, () => read(tree(), false)).catch((error) => error)
      expect(error).to.include({ code })
      expect(error.message).to.match(message)
    })

    it(`leaves out and reports a file that ${what} when it salvages`, async () => {
      const { members, losses } = await withBuiltin(fsPromises, changes, () => read(tree(), true))
      expect(members).to.deep.equal(['a=first', 'link=a', 'z=last'])
      expect(losses).to.have.length(1)
      expect(losses[0]).to.include({ pathname: 'd/b', code: 'EBADMSG' })
      expect(losses[0]?.message).to.include('cannot be read: ')
    })
  }

  it('refuses a large file that changes while it is read in pieces', async () => {
    const dir = scratch()
    const bytes = 4 << 20
    writeFileSync(join(dir, 'a'), Buffer.alloc(bytes))
    await using archive = await openArchive(dir)
    const read = async () => {
      for await (const batch of archive.batches())
        for (const { stream } of batch) {
          if (stream) for await (const _ of stream()) truncateSync(join(dir, 'a'), bytes - 1)
        }
    }
    expect(await read().catch((error) => error)).to.include({
      code: 'EIO',
      message: `${dir}: a: the file changed while it was read: it had ${bytes} bytes`,
    })
  })
})
