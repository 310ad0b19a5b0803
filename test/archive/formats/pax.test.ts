import { expect } from 'chai'
import { extraOf, type PaxRecords, parseGlobalPax, parsePax } from '../../../src/archive/formats/pax.ts'
import { Reading } from '../../../src/archive/member.ts'

const AT = 100

const parse = (text: string | Buffer, into: PaxRecords = {}) =>
  parsePax(Buffer.from(text as string, 'latin1'), into, new Reading('x.tar', 'tar'), AT)

function record(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`.length
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return `${length} ${keyword}=${value}\n`
}

/** The error's code, its offset after the header, and its words. */
function refusal(text: string): string {
  try {
    parse(text)
  } catch (error) {
    const { code, offset, message } = error as { code: string; offset: number; message: string }
    return `${code} ${offset - AT} ${message.replace(/^x\.tar: /, '').replace(/ \(at byte .*$/, '')}`
  }
  return 'none'
}

describe('archive/formats/pax', () => {
  it('reads records one after another, up to zeros that pad them', () => {
    const text = record('path', 'a=b c') + record('uid', '7') + record('k', 'v\nw')
    for (const padding of ['', '\0', '\0\0junk']) {
      const { extra, ...records } = parse(text + padding)
      expect(records).to.deep.equal({ path: 'a=b c', uid: 7 })
      expect({ ...extra }).to.deep.equal({ k: 'v\nw' })
    }
    expect(parse('')).to.deep.equal({})
    expect({ ...parse('5 =v\n').extra }).to.deep.equal({ '': 'v' })
    expect(parse('0000000022 path=abcde\n')).to.deep.equal({ path: 'abcde' })
  })

  for (const [what, text] of [
    ['has no length', 'path=a\n'],
    ['has no space', '9path=a\n'],
    ['has a length that is too short', '8 path=a\n'],
    ['has a length that is too long', '11 path=a\n'],
    ['is cut off', '30 path=a\n'],
    ['has no newline at its end', '9 path=ab'],
    ['has a letter before its length', 'x9 path=a\n'],
    ['has a letter behind its length', '9x path=a\n'],
    ['has a sign', '-9 path=a\n'],
    ['has a space before its length', ' 9 path=a\n'],
    ['has a length of eleven digits', '00000000019 path=a\n'],
    ['has no equals sign', '9 path_a\n'],
    ['has its equals sign in the next record', '8 patha\n9 path=a\n'],
    ['has its equals sign right behind its end', '8 patha\n=b\n'],
    ['has a length with a plus', '+11 path=a\n'],
    ['has a length in another notation', '1e1 path=\n'],
    ['has a hexadecimal length', '0xb path=a\n'],
    ['has a length of zero', '0 path=a\n'],
    ['ends after its length', '2 '],
  ] as const) {
    it(`refuses a record that ${what}, wherever it is`, () => {
      const damaged = 'damaged pax header: a record is not well formed'
      expect(refusal(text)).to.equal(`EBADMSG 0 ${damaged}`)
      const before = record('k', 'v')
      expect(refusal(before + text)).to.equal(`EBADMSG ${before.length} ${damaged}`)
    })
  }

  it('reads numbers, and times with fractions', () => {
    for (const [keyword, value, number] of [
      ['size', '0', 0],
      ['size', '9007199254740991', Number.MAX_SAFE_INTEGER],
      ['uid', '-2', -2],
      ['gid', '4294967295', 4294967295],
      ['mtime', '1700000000', 1700000000],
      ['mtime', '-1.25', -1.25],
      ['mtime', '.5', 0.5],
      ['mtime', '5.', 5],
    ] as const) {
      expect(parse(record(keyword, value)), `${keyword} ${value}`).to.deep.equal({ [keyword]: number })
    }
  })

  for (const [keyword, value] of [
    ['size', '-1'],
    ['size', '1.5'],
    ['size', '1e3'],
    ['size', ' 1'],
    ['uid', '+1'],
    ['uid', '1x'],
    ['gid', 'x1'],
    ['gid', '-'],
    ['mtime', '1e3'],
    ['mtime', '1.5.5'],
    ['mtime', 'x1'],
    ['mtime', '1x'],
    ['mtime', '--1'],
  ] as const) {
    it(`refuses the ${keyword} ${JSON.stringify(value)}`, () => {
      expect(refusal(record(keyword, value))).to.equal(`EBADMSG 0 damaged pax header: ${keyword} is not a number`)
    })
  }

  for (const [keyword, value] of [
    ['size', '9007199254740992'],
    ['uid', '-9007199254740992'],
    ['mtime', '9'.repeat(400)],
    ['mtime', '.'],
    ['mtime', '-'],
  ] as const) {
    it(`refuses the ${keyword} ${value.slice(0, 20)}, which no number holds`, () => {
      expect(refusal(record(keyword, value))).to.equal(`EOVERFLOW 0 the ${keyword} of a pax header is out of range`)
    })
  }

  it('refuses paths that are not UTF-8, and leaves out other values that are not', () => {
    for (const keyword of ['path', 'linkpath']) expect(refusal(record(keyword, '\xff'))).to.match(/^EILSEQ 0 /)
    const { extra } = parse(record('SCHILY.xattr.user.x', '\xff') + record('k', '\xc3\xa9'))
    expect({ ...extra }).to.deep.equal({ k: 'é' })
  })

  it('takes a record without a value for none, of earlier headers too', () => {
    const into = { path: 'a', size: 1, uid: 2, extra: { k: 'v', l: 'w' } }
    const { extra, ...records } = parse(record('path', '') + record('size', '') + record('k', ''), into)
    expect(records).to.deep.equal({ path: undefined, size: undefined, uid: 2 })
    expect({ ...extra }).to.deep.equal({ l: 'w' })
    expect(into).to.deep.equal({ path: 'a', size: 1, uid: 2, extra: { k: 'v', l: 'w' } })
  })

  it('knows sparse files of GNU and of Sun', () => {
    expect(parse(record('GNU.sparse.major', '1'))).to.deep.equal({ sparse: 'GNU.sparse.major' })
    expect(parse(record('SUN.holesdata', ' 0 1'))).to.deep.equal({ sparse: 'SUN.holesdata' })
    expect(parse(record('GNU.volume.label', 'x'))).to.not.have.property('sparse')
  })

  it('keeps no record that does not matter for contents, but the comment of a global header', () => {
    const ignored = ['atime', 'ctime', 'uname', 'gname', 'comment', 'charset', 'hdrcharset']
    const text = ignored.map((keyword) => record(keyword, 'v')).join('') + record('uid', '7')
    expect(parse(text)).to.deep.equal({ uid: 7 })
    const reading = new Reading('x.tar', 'tar')
    const bytes = Buffer.from(text + record('k', 'v'))
    expect(parseGlobalPax(bytes, { gid: 1 }, reading, AT)).to.deep.equal({ uid: 7, gid: 1 })
    expect({ ...reading.records }).to.deep.equal({ comment: 'v', k: 'v' })
  })

  it('gives records that there are, and undefined for none', () => {
    expect(extraOf({})).to.equal(undefined)
    expect(extraOf({ extra: {} })).to.equal(undefined)
    expect(extraOf({ extra: { k: 'v' } })).to.deep.equal({ k: 'v' })
  })
})
