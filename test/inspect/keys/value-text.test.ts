import { expect } from 'chai'
import { keyValueLine, printedValue, valueJson } from '../../../src/inspect/index.ts'

async function* batches(...parts: string[][]) {
  for (const batch of parts) yield batch.map((part) => Buffer.from(part))
}

async function printed(parts: string[][], raw: boolean): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of printedValue(batches(...parts), raw)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

describe('inspect/value-text', () => {
  for (const [parts, text] of [
    [[['hello']], 'hello\n'],
    [[['']], ''],
    [[], ''],
    [[['a\0b'], ['c']], 'a\n'],
    [
      [
        ['a', 'b'],
        ['c\0', 'd'],
      ],
      'abc\n',
    ],
    [[['\0']], '\n'],
  ] as const) {
    it(`prints ${JSON.stringify(parts)} as a C string`, async () => {
      expect(await printed(parts as unknown as string[][], false)).to.equal(text)
      expect(await printed(parts as unknown as string[][], true)).to.equal(parts.flat().join(''))
    })
  }

  for (const [value, width, line] of [
    ['short', 80, 'key = short'],
    ['', 80, 'key = '],
    ['one\ntwo', 80, 'key = one...'],
    ['one\n', 80, 'key = one'],
    ['0123456789', 14, 'key = 01234...'],
    ['01234', 14, 'key = 01234'],
    ['éééééé', 12, 'key = é...'],
    ['0123456789', 3, 'key = 0123456789'],
    ['one\ntwo', 0, 'key = one\ntwo'],
    ['a\0b', 80, 'key = a'],
  ] as const) {
    it(`cuts ${JSON.stringify(value)} to ${width} columns`, () => {
      expect(keyValueLine('key', Buffer.from(value), width)).to.equal(line)
    })
  }

  it('says in JSON what is text, and in base64 what is not', () => {
    expect(valueJson(Buffer.from('é'))).to.deep.equal({ size: 2, value: 'é' })
    expect(valueJson(Buffer.from([0xff, 0]))).to.deep.equal({ size: 2, base64: '/wA=' })
  })
})
