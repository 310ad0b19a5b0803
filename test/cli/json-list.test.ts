import { expect } from 'chai'
import { printJsonList } from '../../src/cli/index.ts'
import { FluxError } from '../../src/errors/index.ts'
import { printed } from '../support/in-process.ts'

/** Batches that come one after another, and an error after them. */
async function* batches(lists: readonly string[][], error?: Error): AsyncGenerator<readonly string[]> {
  yield* lists
  if (error) throw error
}

describe('cli/json-list', () => {
  const status = process.exitCode
  afterEach(() => {
    process.exitCode = status
  })

  it('prints one object, whatever the batches are', async () => {
    for (const lists of [[['1', '{"a":2}', '"x"']], [['1'], [], ['{"a":2}'], ['"x"']]]) {
      let complete: boolean | undefined
      const text = await printed(async () => {
        complete = await printJsonList('keys', batches(lists))
      })
      expect(text).to.equal('{"keys":[1,{"a":2},"x"]}\n')
      expect(complete).to.equal(true)
    }
  })

  it('prints an empty list', async () => {
    expect(await printed(() => printJsonList('keys', batches([[]])))).to.equal('{"keys":[]}\n')
  })

  it('asks for more members when the list is done', async () => {
    let seen = 0
    async function* counted() {
      for (const item of ['1', '2']) {
        seen++
        yield [item]
      }
    }
    const text = await printed(() => printJsonList('keys', counted(), () => ({ keyCount: seen })))
    expect(JSON.parse(text)).to.deep.equal({ keys: [1, 2], keyCount: 2 })
  })

  it('makes an error a member once something has been printed, so that it can be read', async () => {
    const error = new FluxError('ENOENT', 'a: gone', { hint: 'look elsewhere' })
    let complete: boolean | undefined
    const text = await printed(async () => {
      complete = await printJsonList('keys', batches([['1']], error))
    })
    expect(JSON.parse(text)).to.deep.equal({
      keys: [1],
      error: { code: 'ENOENT', message: 'a: gone', hint: 'look elsewhere', exit: 1 },
    })
    expect(complete).to.equal(false)
    expect(process.exitCode).to.equal(1)
  })

  it('leaves an error to the caller when nothing has been printed, or nobody reads', async () => {
    for (const [lists, code] of [
      [[[]], 'ENOENT'],
      [[['1']], 'EPIPE'],
    ] as const) {
      const error = new FluxError(code, 'gone')
      let thrown: unknown
      await printed(async () => {
        thrown = await printJsonList('keys', batches(lists as unknown as string[][], error)).catch((reason) => reason)
      })
      expect(thrown).to.equal(error)
    }
  })

  it('escapes what might command a terminal', async () => {
    const text = await printed(() => printJsonList('keys', batches([[JSON.stringify('a\u009bb')]])))
    expect(text).to.equal('{"keys":["a\\u009bb"]}\n')
  })
})
