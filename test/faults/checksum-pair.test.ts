/** A dump with --checksum that is killed leaves no checksum beside an archive that it is not of. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultPoint, heldAt } from '../support/fault-points.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { cleanEnv, fluxTs, run } from '../support/processes.ts'

const POINTS: Record<string, FaultPoint> = {
  'before its first bytes': { call: 'write', on: /\.part$/ },
  'before the archive gets its name': { call: 'renameSync', on: /\.part$/ },
  'when the archive has its name': { call: 'renameSync', on: /\.part$/, after: true },
  'before the checksum gets its name': { call: 'renameSync', on: /\.part$/, nth: 2 },
  'when the checksum has its name': { call: 'renameSync', on: /\.part$/, nth: 2, after: true },
}

describe('a dump with a checksum that is killed', () => {
  for (const [where, point] of Object.entries(POINTS)) {
    it(`${where} leaves a pair that fits, or an archive alone`, async () => {
      const dir = join(scratch(), 'out')
      mkdirSync(dir)
      const file = join(dir, 'x.tar')
      const dump = ['dump', '-q', '--checksum', '--store', fixture('jobs'), file]
      const whole = (epoch: string) => {
        expect(fluxTs(dump, { env: cleanEnv({ SOURCE_DATE_EPOCH: epoch }) }).status).to.equal(0)
        return readFileSync(file)
      }
      const newer = whole('2')
      const older = whole('1')
      expect(newer.equals(older)).to.equal(false)
      const held = await heldAt(point, dump, { SOURCE_DATE_EPOCH: '2' })
      held.child.kill('SIGKILL')
      held.release()
      await held.ended
      const left = readFileSync(file)
      expect(left.equals(older) || left.equals(newer)).to.equal(true)
      if (existsSync(`${file}.sha256`)) run('sh', ['-c', `cd '${dir}' && sha256sum --status -c x.tar.sha256`])
      // The next dump tidies up.
      whole('2')
      expect(readdirSync(dir).sort()).to.deep.equal(['x.tar', 'x.tar.sha256'])
    })
  }
})
