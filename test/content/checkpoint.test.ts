import { expect } from 'chai'
import { parseJson } from '../../src/bytes/index.ts'
import { encodeCheckpoint } from '../../src/content/checkpoint.ts'
import { decodeCheckpoint } from '../../src/content/index.ts'

const rootref = `sha1-${'12'.repeat(20)}`

describe('content/checkpoint', () => {
  it('decodes versions 0 and 1, with and without sequence and timestamp', () => {
    expect(decodeCheckpoint({ version: 1, rootref, sequence: 7, timestamp: 1.5 }, 'x')).to.deep.equal({
      rootref,
      sequence: 7,
      timestamp: 1.5,
    })
    expect(decodeCheckpoint({ version: 0, rootref }, 'x')).to.deep.equal({ rootref, sequence: 0, timestamp: 0 })
  })

  it('takes a time that no clock says for one that was not recorded', () => {
    for (const timestamp of [1e300, -1e300, 8.7e12]) {
      expect(decodeCheckpoint({ version: 1, rootref, timestamp }, 'x').timestamp).to.equal(0)
    }
    expect(decodeCheckpoint({ version: 1, rootref, timestamp: -5.5 }, 'x').timestamp).to.equal(-5.5)
    expect(decodeCheckpoint({ version: 1, rootref, timestamp: 8.64e12 }, 'x').timestamp).to.equal(8.64e12)
  })

  it('takes a time that is a whole number too large for most', () => {
    expect(decodeCheckpoint({ version: 1, rootref, timestamp: 2n ** 60n }, 'x').timestamp).to.equal(0)
    expect(decodeCheckpoint({ version: 1, rootref, timestamp: 7n }, 'x').timestamp).to.equal(7)
  })

  it('decodes the bare blobref of releases before v0.36', () => {
    expect(decodeCheckpoint(rootref, 'x')).to.deep.equal({ rootref, sequence: 0, timestamp: 0 })
  })

  it('refuses anything else with EPROTO, saying where it stood', () => {
    const bad = [
      null,
      5,
      'sha1-',
      {},
      { version: 2, rootref },
      { version: 1, rootref: 'x' },
      { version: 1, rootref, sequence: '1' },
      { version: 1, rootref, timestamp: 'now' },
    ]
    for (const value of bad) {
      expect(() => decodeCheckpoint(value, 'a.sqlite: checkpoint 3'), JSON.stringify(value))
        .to.throw('a.sqlite: checkpoint 3: not a checkpoint object')
        .with.property('code', 'EPROTO')
    }
  })

  it('refuses a sequence that no number holds exactly', () => {
    const text = `{"version":1,"rootref":"${rootref}","sequence":9007199254740993}`
    expect(() => decodeCheckpoint(parseJson(text), 'x')).to.throw('x: not a checkpoint object')
  })

  it('encodes none that could not be read back, and names what is wrong with EINVAL', () => {
    const good = { rootref, sequence: 3, timestamp: 4 }
    expect(decodeCheckpoint(JSON.parse(encodeCheckpoint(good)), 'x')).to.deep.equal(good)
    const bad = [
      { rootref: 'x' },
      { sequence: -1 },
      { sequence: 1.5 },
      { sequence: Number.NaN },
      { timestamp: Number.NaN },
    ]
    for (const part of bad) {
      const [[name, value]] = Object.entries(part) as [[string, unknown]]
      expect(() => encodeCheckpoint({ ...good, ...part }))
        .to.throw(`${name} ${value}: not a`)
        .with.property('code', 'EINVAL')
    }
  })
})
