import { expect } from 'chai'
import { sqliteError } from '../../../src/content/sqlite/sqlite-error.ts'
import { FluxError } from '../../../src/errors/index.ts'

/** An error as node:sqlite throws it: an extended result code, and the words of SQLite. */
const thrown = (errcode: number) => Object.assign(new Error('of a statement'), { errcode, errstr: 'as SQLite says it' })

const HINTS = {
  busy: 'stop it',
  readOnly: 'look at it',
  damaged: 'salvage it',
  full: 'make room',
  failing: 'replace it',
}

describe('content/sqlite/sqlite-error', () => {
  for (const [errcode, code, text, hint] of [
    [5, 'EBUSY', 'held by another process', 'stop it'],
    [7, 'ENOMEM', 'SQLite cannot allocate memory', undefined],
    [8, 'EROFS', 'SQLite wants to write, but may not', 'look at it'],
    [10, 'EIO', 'disk I/O error', 'replace it'],
    [266, 'EIO', 'disk I/O error', 'replace it'],
    [11, 'EBADMSG', 'damaged: SQLite calls it malformed', 'salvage it'],
    [13, 'ENOSPC', 'database or disk is full', 'make room'],
    [14, 'ENOENT', 'cannot be opened', undefined],
    [18, 'EFBIG', 'a blob is larger than SQLite can hold', undefined],
    [26, 'EINVAL', 'not an SQLite database', 'salvage it'],
    [21, 'EIO', 'as SQLite says it', undefined],
  ] as const) {
    it(`names the database, and says what to do about result code ${errcode}`, () => {
      const error = sqliteError(thrown(errcode), 'x.sqlite', HINTS)
      expect(error).to.be.instanceOf(FluxError)
      expect(error).to.include({ code, message: `x.sqlite: ${text}`, hint })
    })
  }

  it('leaves other errors alone', () => {
    const error = new Error('not of SQLite')
    expect(sqliteError(error, 'x.sqlite')).to.equal(error)
  })
})
