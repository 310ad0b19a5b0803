import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { timeText } from '../../src/errors/index.ts'

const MODULE = fileURLToPath(new URL('../../src/errors/time-text.ts', import.meta.url))

/** The times in another zone, which is that of a process. */
function inZone(TZ: string, calls: readonly Parameters<typeof timeText>[]): string[] {
  const script = `import { timeText } from ${JSON.stringify(MODULE)}
console.log(JSON.stringify(${JSON.stringify(calls)}.map((args) => timeText(...args))))`
  const args = ['--input-type=module', '-e', script]
  const { stdout } = spawnSync(process.execPath, args, { env: { ...process.env, TZ }, encoding: 'utf8' })
  return JSON.parse(stdout)
}

describe('times', () => {
  it('are local, with their distance from UTC where that is asked for', () => {
    const calls: Parameters<typeof timeText>[] = [
      [1795458311.5],
      [1795458311.5, { offset: true }],
      [1795458311.5, { milliseconds: true }],
      [1795458311.5, { utc: true, milliseconds: true }],
      [1795458311.5, { utc: true }],
    ]
    expect(inZone('Asia/Kolkata', calls)).to.deep.equal([
      '2026-11-23T23:55:11',
      '2026-11-23T23:55:11+05:30',
      '2026-11-23T23:55:11.500',
      '2026-11-23T18:25:11.500Z',
      '2026-11-23T18:25:11Z',
    ])
    expect(inZone('America/St_Johns', calls)[1]).to.equal('2026-11-23T14:55:11-03:30')
    expect(inZone('UTC', calls)[1]).to.equal('2026-11-23T18:25:11+00:00')
  })

  it('are those of the day, summer or winter', () => {
    const [summer, winter] = [Date.UTC(2026, 6, 1) / 1000, Date.UTC(2026, 11, 1) / 1000]
    expect(
      inZone('Europe/Berlin', [
        [summer, { offset: true }],
        [winter, { offset: true }],
      ]),
    ).to.deep.equal(['2026-07-01T02:00:00+02:00', '2026-12-01T01:00:00+01:00'])
  })

  it('are numbers where no calendar reaches', () => {
    expect(timeText(1e300, { utc: true })).to.equal('1e+300')
  })
})
