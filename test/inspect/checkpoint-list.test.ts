import { expect } from 'chai'
import { checkpointList } from '../../src/inspect/index.ts'

const REF = 'sha1-c724d57a8f2e2f0e3b1c9d6a5b4c3d2e1f0a9b8c'
const CHECKPOINTS = [
  { version: 1, rootref: REF, sequence: 1234, timestamp: 1795458311.5 },
  { version: 1, rootref: `sha256-${'e'.repeat(64)}`, sequence: 7, timestamp: 1795450000 },
]

describe('the list of checkpoints', () => {
  it('is that of flux content where no terminal asks for less', () => {
    const lines = [
      'Index      Sequence   Time                 Rootref',
      `0          1234       2026-11-23T18:25:11Z ${REF}`,
      `1          7          2026-11-23T16:06:40Z sha256-${'e'.repeat(64)}`,
    ]
    for (const width of [undefined, 0, 120]) {
      expect(checkpointList(CHECKPOINTS, { header: true, width })).to.deep.equal(lines)
    }
    expect(checkpointList(CHECKPOINTS, { header: false })).to.deep.equal(lines.slice(1))
  })

  it('loses its padding first on a narrow terminal', () => {
    expect(checkpointList(CHECKPOINTS.slice(0, 1), { header: true, width: 84 })).to.deep.equal([
      'Index  Sequence  Time                  Rootref',
      `0      1234      2026-11-23T18:25:11Z  ${REF}`,
    ])
  })

  it('cuts rootrefs short where that is not enough', () => {
    expect(checkpointList(CHECKPOINTS, { header: true, width: 80 })).to.deep.equal([
      'Index  Sequence  Time                  Rootref',
      '0      1234      2026-11-23T18:25:11Z  sha1-c724d57a…',
      '1      7         2026-11-23T16:06:40Z  sha256-eeeeeeee…',
    ])
  })
})
