import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { openStore } from '../../../src/content/index.ts'
import { type Job, type JobsOptions, jobJson, jobs } from '../../../src/inspect/index.ts'
import { formatJobid, resolveRoot } from '../../../src/kvs/index.ts'
import { ArchiveStore } from '../../../src/restore/index.ts'
import { fixture } from '../../support/fixtures.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

const EVENTLOG = '{"timestamp":1,"name":"submit","context":{"userid":7,"urgency":16,"version":1}}\n'
const JOBSPEC = '{"tasks":[{"command":["app"]}],"attributes":{"system":{"duration":0}}}'

const job = (more: Record<string, Tree> = {}) => dir({ eventlog: valref(EVENTLOG), jobspec: valref(JOBSPEC), ...more })

async function list(store: MemoryStore, rootref: string, options: JobsOptions = {}): Promise<Job[]> {
  const all: Job[] = []
  for await (const batch of jobs({ store, rootref, namespace: undefined }, options)) {
    expect(batch).not.to.have.length(0)
    all.push(...batch)
  }
  return all
}

describe('inspect/jobs', () => {
  const said = (JSON.parse(readFileSync(fixture('jobs', 'jobs.json'), 'utf8')) as { jobs: { id: number }[] }).jobs
  for (const [what, open] of [
    ['a store', () => openStore(fixture('jobs', 'content.sqlite'))],
    ['its dump', () => ArchiveStore.open(fixture('jobs', 'dump.tgz'))],
  ] as const) {
    it(`tells the jobs of ${what} as flux jobs did, newest first`, async () => {
      await using store = await open()
      const told: { id: number }[] = []
      for await (const batch of jobs(await resolveRoot(store))) {
        told.push(...batch.map((each) => JSON.parse(jobJson(each, 'root'))))
      }
      expect(told).to.deep.equal(said.toSorted((a, b) => b.id - a.id))
    })
  }

  it('tells jobs by their ids, loading no other, and fails for one that is not there', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({
      job: dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': job(), '0002': job() }) }) }) }),
    })
    const store = new MemoryStore(blobs)
    expect((await list(store, rootref, { ids: [2n] })).map(({ id }) => id)).to.deep.equal([2n])
    const failure = await list(store, rootref, { ids: [2n, 3n] }).catch((error) => error)
    const message = 'ƒ4 (job.0000.0000.0000.0003): no such job in the snapshot'
    expect(failure).to.include({ code: 'ENOENT', message })
    const missing: string[] = []
    const onMissing = (error: Error) => missing.push(error.message)
    const found = await list(store, rootref, { ids: [3n, 2n], onMissing })
    expect({ found: found.map(({ id }) => id), missing }).to.deep.equal({ found: [2n], missing: [message] })
    expect(await list(store, blobs.tree({}), { ids: [3n], onMissing })).to.deep.equal([])
    expect(missing).to.deep.equal([message, message])
  })

  it('keeps the records of a job as they are stored when asked to, and does not print them', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ job: dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': job() }) }) }) }) })
    const store = new MemoryStore(blobs)
    const [kept] = await list(store, rootref, { keepRecords: true })
    expect(kept?.records).to.deep.equal({ eventlog: EVENTLOG, jobspec: JOBSPEC })
    const [plain] = await list(store, rootref)
    expect(plain).not.to.have.property('records')
    expect(jobJson(kept as Job, 'root')).to.equal(jobJson(plain as Job, 'root'))
  })

  it('loads no record but those it needs, and finds no job where there is none', async () => {
    const blobs = new Blobs()
    const more = { J: valref('signed'), guest: dir({ output: valref('o') }), extra: valref('x') }
    const rootref = blobs.tree({
      job: dir({
        '0000': dir({ '0000': dir({ '0000': dir({ '0001': job(more) }), odd: dir({ '0001': job() }) }) }),
        x: val(''),
      }),
      resource: dir({ R: valref('r') }),
    })
    const store = new MemoryStore(blobs)
    expect((await list(store, rootref)).map(({ id }) => id)).to.deep.equal([1n])
    for (const blob of ['signed', 'o', 'x', 'r']) expect(store.asked).not.to.include(blobs.store(blob))
    expect(await list(store, blobs.tree({ a: val('1') }))).to.deep.equal([])
  })

  it('tells of every job of which anything is left, with what is wrong, and of directories that are lost', async () => {
    const blobs = new Blobs()
    const gone = (type: string) => raw(type, [`sha1-${'1'.repeat(40)}`])
    const rootref = blobs.tree({
      job: dir({
        '0000': dir({
          '0000': dir({
            '0000': dir({
              '0001': job(),
              '0002': gone('dirref'),
              '0003': job({ eventlog: gone('valref') }),
              '0004': job({ eventlog: gone('valref'), jobspec: gone('valref') }),
              '0005': dir({}),
              '0006': job({ jobspec: raw('val', '???') }),
              '0007': job({ R: symlink('elsewhere') }),
            }),
            '0001': gone('dirref'),
          }),
        }),
      }),
    })
    for (const window of [1, 3, 16]) {
      const store = new MemoryStore(blobs)
      store.window = window
      const lost: string[] = []
      const told = await list(store, rootref, { onFault: ({ message }) => lost.push(message) })
      expect(told.map(({ id, name, userid }) => [formatJobid(id, 'dec'), name, userid])).to.deep.equal([
        ['7', 'app', 7],
        ['6', undefined, 7],
        ['5', undefined, undefined],
        ['4', undefined, undefined],
        ['3', 'app', undefined],
        ['2', undefined, undefined],
        ['1', 'app', 7],
      ])
      const missing = `No such file or directory (sha1-${'1'.repeat(40)})`
      expect(told.map(({ problems }) => problems.map(({ message }) => message))).to.deep.equal([
        ['R: a symbolic link'],
        ['jobspec: invalid value object: Invalid argument'],
        ['jobspec: missing', 'eventlog: missing'],
        [`jobspec: missing blobref 0: ${missing}`, `eventlog: missing blobref 0: ${missing}`],
        [`eventlog: missing blobref 0: ${missing}`],
        [`directory: could not load content: ${missing}`],
        [],
      ])
      expect(lost).to.deep.equal([`job.0000.0000.0001: could not load content: ${missing}`])
    }
  })

  it('reads a jobspec that is too large to hold beside others', async () => {
    const blobs = new Blobs()
    const filler = 'x'.repeat(9 << 20)
    const large = `{"tasks":[{"command":["big"]}],"attributes":{"system":{"duration":0,"x":["${filler}","${filler}"]}}}`
    const pieces = [large.slice(0, 9 << 20), large.slice(9 << 20)]
    const rootref = blobs.tree({
      job: dir({
        '0000': dir({
          '0000': dir({ '0000': dir({ '0001': job(), '0002': job({ jobspec: valref(...pieces) }), '0003': job() }) }),
        }),
      }),
    })
    const told = await list(new MemoryStore(blobs), rootref, { keepRecords: true })
    expect(told.map(({ name }) => name)).to.deep.equal(['app', 'big', 'app'])
    expect(told[1]?.records?.jobspec === large).to.equal(true)
    expect(told.flatMap(({ problems }) => problems)).to.deep.equal([])
  })

  it('holds no more than a window of jobs', async () => {
    const blobs = new Blobs()
    const many: Record<string, Tree> = {}
    for (let i = 0; i < 2000; i++) many[i.toString(16).padStart(4, '0')] = job()
    const rootref = blobs.tree({ job: dir({ '0000': dir({ '0000': dir({ '0000': dir(many) }) }) }) })
    const store = new MemoryStore(blobs)
    let told = 0
    for await (const batch of jobs({ store, rootref, namespace: undefined })) {
      if (told === 0) expect(store.asked.length).to.be.lessThan(4 * 1200)
      told += batch.length
    }
    expect(told).to.equal(2000)
  })
})
