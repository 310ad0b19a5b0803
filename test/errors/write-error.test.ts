import { expect } from 'chai'
import { FluxError, writeError } from '../../src/errors/index.ts'

const errnoError = (code: string) => Object.assign(new Error(`${code}: in the words of Node.js`), { code })

describe('errors/write-error', () => {
  it('names the file, and says what to do', () => {
    const error = writeError(errnoError('ENOSPC'), 'x.tar')
    expect(error).to.include({ code: 'ENOSPC', message: 'cannot write x.tar: No space left on device' })
    expect(error.hint).to.match(/^make room/)
  })

  for (const [code, text, hint] of [
    ['EACCES', 'Permission denied', 'look at the permissions of its directory'],
    ['EDQUOT', 'Disk quota exceeded', 'make room within the quota, or write to another file system'],
    ['EEXIST', 'File exists', 'choose another name'],
    ['EFBIG', 'File too large', 'raise the limit on file sizes (ulimit -f), or write to another file system'],
    ['EIO', 'Input/output error', 'look at the disk, or write to another file system'],
    ['EISDIR', 'Is a directory', 'name a file'],
    ['ENAMETOOLONG', 'File name too long', 'choose a shorter name'],
    ['ENOENT', 'No such file or directory', 'make its directory first'],
    ['ENOTDIR', 'Not a directory', 'name a file in a directory'],
    ['EPERM', 'Operation not permitted', 'look at the permissions and attributes of its directory'],
    ['EPIPE', 'Broken pipe', 'look why its reader has ended'],
    ['EROFS', 'Read-only file system', 'write to another file system'],
  ] as const) {
    it(`has a word for ${code}`, () => {
      expect(writeError(errnoError(code), 'x')).to.include({ code, message: `cannot write x: ${text}`, hint })
    })
  }

  it('names the limit on open files', () => {
    expect(writeError(errnoError('EMFILE'), 'x.tar').hint).to.equal('raise the limit on open files (ulimit -n)')
  })

  it('says so when memory could not be had, in whatever way Node.js reports it', () => {
    const words = [
      errnoError('ENOMEM'),
      errnoError('ERR_MEMORY_ALLOCATION_FAILED'),
      new RangeError('Array buffer allocation failed'),
    ]
    for (const error of words) {
      expect(writeError(error, 'x.tar')).to.include({
        code: 'ENOMEM',
        message: 'cannot write x.tar: Cannot allocate memory',
        hint: 'raise the limit on memory (ulimit -v), or end other programs',
      })
    }
  })

  it('does not blame the disk for an error that is not of the operating system', () => {
    const error = writeError(new TypeError('not a function'), 'x.tar')
    expect(error).to.include({ code: 'EIO', message: 'cannot write x.tar: not a function', hint: undefined })
  })

  it('leaves an error that says what failed as it is', () => {
    const error = new FluxError('ENOSPC', 'its words')
    expect(writeError(error, 'x.tar')).to.equal(error)
  })
})
