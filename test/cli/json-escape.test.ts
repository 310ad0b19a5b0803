import { join } from 'node:path'
import { expect } from 'chai'
import { escapedJson } from '../../src/cli/json-escape.ts'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { Blobs, dir, raw, type Tree, val, writeSqlite } from '../support/trees.ts'

/** All that commands a terminal, or hides what is written. */
const COMMANDS = [0x7f, 0x80, 0x9b, 0x9f, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x2028, 0x2029]
  .map((code) => String.fromCharCode(code))
  .join('')
const RAW = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/

function storeOf(entries: Record<string, Tree>): string {
  const blobs = new Blobs()
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [blobs.tree(entries)])
  return path
}

describe('JSON on standard output', () => {
  it('says characters that command a terminal by their numbers, and means the same', () => {
    const value = { [`k${COMMANDS}`]: [`v${COMMANDS}\n\\`, 'é ▓ \u{1f600}', 1] }
    for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 2)]) {
      const escaped = escapedJson(text)
      expect(escaped).not.to.match(RAW)
      expect(escaped).to.include('\\u009b').and.include('\\u202e').and.include('é ▓ \u{1f600}')
      expect(JSON.parse(escaped)).to.deep.equal(value)
    }
  })

  it('has none of them in whatever is printed: results, lists, errors', async () => {
    const name = `k${COMMANDS}`
    const store = storeOf({
      [name]: val(`v${COMMANDS}`),
      bad: raw('valref', [`sha1-${'1'.repeat(40)}`]),
      d: dir({ [name]: val('') }),
    })
    const other = storeOf({ d: dir({}) })
    const commands = [
      ['kvs', 'get', name, '--store', store],
      ['kvs', 'ls', '-R', '--store', store],
      ['kvs', 'get', `d.nosuch${COMMANDS}`, '--store', store],
      ['diff', other, store],
    ]
    for (const args of commands) {
      const { stdout } = await runInProcess([...args, '--json'])
      const text = stdout.toString()
      expect(text, args.join(' ')).not.to.match(RAW)
      expect(text, args.join(' ')).to.include('\\u200e')
      JSON.parse(text)
    }
    const { values } = JSON.parse((await runInProcess([...(commands[0] as string[]), '--json'])).stdout.toString())
    expect(values).to.deep.equal([{ key: name, size: Buffer.byteLength(`v${COMMANDS}`), value: `v${COMMANDS}` }])
  })
})
