import { expect } from 'chai'
import { limitError } from '../../src/errors/index.ts'

describe('errors/limit-error', () => {
  for (const [what, error, code, text, hint] of [
    ['an errno', { code: 'EMFILE' }, 'EMFILE', 'Too many open files', 'raise the limit on open files (ulimit -n)'],
    [
      'words',
      { message: 'uv_thread_create: EAGAIN' },
      'EAGAIN',
      'Resource temporarily unavailable',
      'raise the limit on processes and threads (ulimit -u), or on memory (ulimit -v)',
    ],
    [
      'an error of a thread',
      { code: 'ERR_WORKER_OUT_OF_MEMORY' },
      'ENOMEM',
      'Cannot allocate memory',
      'raise the limit on memory (ulimit -v)',
    ],
  ] as const) {
    it(`says which limit to raise, by ${what}`, () => {
      const error_ = limitError(Object.assign(new Error(), error), 'cannot start a thread')
      expect(error_).to.include({ code, message: `cannot start a thread: ${text}`, hint })
    })
  }

  it('is any other error of the system', () => {
    const error = limitError(Object.assign(new Error(), { code: 'ENOENT' }), 'cannot run xz')
    expect(error).to.include({ code: 'ENOENT', message: 'cannot run xz: No such file or directory', hint: undefined })
  })
})
