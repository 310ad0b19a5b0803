import { join } from 'node:path'
import { expect } from 'chai'
import { Dump, dumpTasks } from '../../src/dump/index.ts'
import { scratch } from '../support/fixtures.ts'
import { Blobs, MemoryStore, val } from '../support/trees.ts'

describe('dump/tasks', () => {
  for (const [direct, title] of [
    [0, 'Walk: 1 key'],
    [3, 'Walk: 1 key, 3 blobs read beside the broker'],
  ] as const) {
    it(`tells how many blobs were read beside the broker: ${direct}`, async () => {
      const blobs = new Blobs()
      const root = blobs.tree({ a: val('x') })
      const dump = new Dump({ store: new MemoryStore(blobs), root, outfile: join(scratch(), 'x.tar') })
      const options = { live: false, now: () => 0, objects: () => undefined, direct: () => direct }
      const { tasks } = dumpTasks(dump, options)
      const shown = tasks.map(({ title }) => ({ title, output: '' }))
      await Promise.all([dump.run(), ...tasks.map((task, i) => task.task(undefined, shown[i] as (typeof shown)[0]))])
      expect(shown[1]?.title).to.equal(title)
    })
  }
})
