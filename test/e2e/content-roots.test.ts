/** The commands `content roots` and `content checkpoint update`. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { instanceKinds } from '../support/instances.ts'
import { contents, holder, killed } from '../support/stores.ts'
import { Blobs, dir, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const event = (timestamp: number) => `{"timestamp":${timestamp},"name":"event"}\n`

const primary = (text: string, timestamp = 1000): Record<string, Tree> => ({
  admin: dir({ text: valref(text) }),
  resource: dir({ R: val('{}'), eventlog: valref(event(timestamp)) }),
})

async function run(args: string): Promise<{ status: number; lines: string[]; stderr: string; stdout: string }> {
  const { status, stdout, stderr } = await runInProcess(args.split(' '))
  const text = stdout.toString()
  return { status: status as number, stdout: text, lines: text.split('\n').filter((line) => line !== ''), stderr }
}

describe('content roots', () => {
  function makeStore(checkpoints: (first: string) => string[]): { path: string; first: string; last: string } {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const first = blobs.tree(primary('first'))
    blobs.tree({ exec: dir({}), output: val('') })
    const last = blobs.tree(primary('last', 1_800_000_000))
    writeSqlite(path, blobs, checkpoints(first))
    return { path, first, last }
  }

  it('prints a line for each root, and says on stderr which one to start from', async () => {
    const { path, first, last } = makeStore(() => [])
    const { status, lines, stderr } = await run(`content roots --utc --store ${path}`)
    expect(status).to.equal(0)
    expect(lines.map((line) => line.split('\t'))).to.deep.equal([
      [last, '2027-01-15T08:00:00Z', '3', '0', 'yes', '-', 'primary (resource, admin)'],
      [first, '1970-01-01T00:16:40Z', '3', '0', 'yes', '-', 'primary (resource, admin)'],
      [lines[2]?.split('\t')[0], '-', '1', '0', 'yes', '-', 'guest (exec, output)'],
    ])
    expect(stderr).to.include(
      `no checkpoint, but a whole root; to start from it: content checkpoint update --store ${path} ${last}`,
    )
  })

  it('says that a root is ahead of the newest checkpoint, and is quiet when the newest checkpoint is the newest root', async () => {
    const behind = makeStore((first) => [first])
    expect((await run(`content roots --store ${behind.path}`)).stderr).to.match(
      /the newest whole root is 27777 h \d+ min ahead of the newest checkpoint; .*--store /,
    )
    expect((await run(`content checkpoint update --store ${behind.path} ${behind.last}`)).status).to.equal(0)
    expect((await run(`content roots --store ${behind.path}`)).stderr).to.equal('')
  })

  it('lists so many, and says how many there are', async () => {
    const { path, last } = makeStore(() => [])
    const { lines, stderr } = await run(`content roots -n 1 --store ${path}`)
    expect(lines.map((line) => line.split('\t')[0])).to.deep.equal([last])
    expect(stderr).to.include('1 of 3 roots (2 primary, 1 guest): see --kind, -n and --all')
    const guests = await run(`content roots --kind guest,other --store ${path}`)
    expect(guests.lines).to.have.length(1)
  })

  it('fails when a checkpoint names a root that is lost, and lists the others', async () => {
    const { path } = makeStore(() => [`sha1-${'ab'.repeat(20)}`])
    const { status, lines, stderr } = await run(`content roots --store ${path}`)
    expect(status).to.equal(1)
    expect(lines).to.have.length(3)
    expect(stderr).to.match(/checkpoint 0: its root sha1-abab\S* is lost/)
  })

  it('needs a store on disk', async () => {
    const { status, stderr } = await run('content roots')
    expect(status).to.equal(2)
    expect(stderr).to.include('store')
  })
})

describe('the hint at content roots', () => {
  it('is given by what finds no checkpoint, or damaged ones', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const root = blobs.tree(primary('a'))
    writeSqlite(path, blobs, [])
    for (const command of ['fsck', 'jobs', 'content stats --reachable', 'kvs ls', 'content checkpoint list']) {
      const { status, stderr } = await run(`${command} --store ${path}`)
      expect(status, command).to.equal(1)
      expect(stderr, command).to.include(
        'no checkpoint in this store; an instance writes one when it shuts down; content roots',
      )
    }
    const db = new DatabaseSync(path)
    db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(`{"version":9,"rootref":"${root}"}`)
    db.close()
    const { status, stderr } = await run(`content checkpoint list --store ${path}`)
    expect(status).to.equal(1)
    expect(stderr).to.include('not a checkpoint object; content roots')
  })

  it('is given when the root of the checkpoint is lost', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    blobs.tree(primary('a'))
    writeSqlite(path, blobs, [`sha1-${'0'.repeat(40)}`])
    for (const command of ['jobs', 'kvs ls', 'du', 'dump -']) {
      const { status, stderr } = await run(`${command} --store ${path}`)
      expect(status, command).to.equal(1)
      expect(stderr, command).to.match(/could not load content: .*; of a store on disk, content roots lists the roots/)
    }
    expect((await run(`fsck --store ${path}`)).stdout).to.include('content roots lists the other roots')
  })

  it('is given when events are an hour later than the newest checkpoint, by commands that read the whole store', async () => {
    // writeSqlite() gives the only checkpoint this time.
    const checkpointed = 1_700_000_000.5
    for (const [later, isTold] of [
      [3599, false],
      [3700, true],
    ] as const) {
      const path = join(scratch(), 'content.sqlite')
      const blobs = new Blobs()
      const first = blobs.tree({ ...primary('old'), large: valref('x'.repeat(5000)) })
      blobs.store(event(checkpointed + later))
      writeSqlite(path, blobs, [first])
      for (const command of ['content stats --reachable', 'content validate']) {
        const { status, stderr } = await run(`${command} --store ${path}`)
        expect(status, command).to.equal(0)
        const hint = `the newest event is 1 h 1 min later than the newest checkpoint: content roots --store ${path}`
        expect(stderr.includes(hint), command).to.equal(isTold)
        expect(stderr.includes('content roots'), command).to.equal(isTold)
      }
    }
  })

  it('is given by jobs when it finds none, but there are later events', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const first = blobs.tree(primary('old'))
    blobs.store(event(1_700_000_002))
    writeSqlite(path, blobs, [first])
    const { status, lines, stderr } = await run(`jobs -n --store ${path}`)
    expect({ status, lines }).to.deep.equal({ status: 0, lines: [] })
    expect(stderr).to.include(`the newest event is 2 s later than the newest checkpoint: content roots --store ${path}`)
    expect((await run(`jobs --store ${fixture('jobs')}`)).stderr).to.equal('')
  })
})

describe('namespaces of running jobs that an older instance kept as text', () => {
  it('are no garbage', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const guest = blobs.tree({ exec: dir({ eventlog: valref(event(1)) }), output: valref('output') })
    const namesOf = (...roots: string[]) =>
      val(JSON.stringify(roots.map((kvsroot, id) => ({ id: id + 17, owner: 0, kvsroot }))))
    // The value stays when the jobs have ended, and their data may be gone.
    const namespaces = namesOf(guest, `sha1-${'0'.repeat(40)}`)
    const root = blobs.tree({ ...primary('a'), 'job-exec': dir({ 'kvs-namespaces': namespaces }) })
    const used = blobs.size
    blobs.tree({ garbage: valref('garbage') })
    writeSqlite(path, blobs, [root])
    const { status, stdout } = await run(`content stats --reachable --json --store ${path}`)
    expect(status).to.equal(0)
    const { reachable, garbage, unreadableDirectoryCount } = JSON.parse(stdout)
    expect(reachable.objectCount).to.equal(used)
    expect(garbage.objectCount).to.equal(2)
    expect(unreadableDirectoryCount).to.equal(0)
    const { lines } = await run(`content roots --kind guest --store ${path}`)
    expect(lines.join()).to.include(guest)
  })
})

describe('content checkpoint update', () => {
  it('makes a root the newest checkpoint, and keeps the others', async () => {
    const statedir = scratch()
    cpSync(fixture('checkpoints', 'content.sqlite'), join(statedir, 'content.sqlite'))
    const list = async () => (await run(`content checkpoint list -n --store ${statedir}`)).lines
    const before = await list()
    const older = before[1]?.split(/\s+/).at(-1)
    const { status, stdout, stderr } = await run(`content checkpoint update --force --store ${statedir} ${older}`)
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: '' })
    const after = await list()
    expect(after.slice(1).map((line) => line.replace(/^\d+/, ''))).to.deep.equal(
      before.map((line) => line.replace(/^\d+/, '')),
    )
    const sequence = Number(before[0]?.split(/\s+/)[1]) + 1
    expect(after[0]).to.match(new RegExp(`^0 +${sequence} .* ${older}$`))
    expect(stderr).to.include(`the newest checkpoint is now ${older}, sequence ${sequence}`)
    const again = await run(`content checkpoint update --force --store ${statedir} ${older}`)
    expect(again.stderr).to.include('already')
    expect(await list()).to.deep.equal(after)
  })

  it('changes nothing when it refuses a root: not whole, not of the primary namespace, not there', async () => {
    const statedir = scratch()
    const blobs = new Blobs()
    const damaged = blobs.tree(primary('lost'))
    const guest = blobs.tree({ exec: dir({}) })
    blobs.delete(blobs.store('lost'))
    writeSqlite(join(statedir, 'content.sqlite'), blobs, [guest])
    const before = contents(statedir)
    const none = `sha1-${'0'.repeat(40)}`
    for (const [root, why] of [
      [
        damaged,
        /: not whole: 1 key below it cannot be read; fsck --rootref sha1-\w+ lists them, and --force takes the root as it is$/m,
      ],
      [
        guest,
        /does not look like a root of the primary namespace: it has exec; content roots lists the roots of a store, and --force takes this one$/m,
      ],
      [none, /No such file/],
      ['bogus', /: invalid blobref specified: Invalid argument \(bogus\)$/m],
    ] as const) {
      const { status, stderr } = await run(`content checkpoint update --store ${statedir} ${root}`)
      expect(status, stderr).to.equal(1)
      expect(stderr).to.match(why)
      expect(contents(statedir)).to.deep.equal(before)
    }
    expect((await run(`content checkpoint update --force --store ${statedir} ${damaged}`)).status).to.equal(0)
    await using store = await openStore(statedir)
    expect((await store.checkpoints()).map(({ rootref }) => rootref)).to.deep.equal([damaged, guest])
  })

  it('refuses a store that a process holds', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const root = blobs.tree(primary('a'))
    writeSqlite(path, blobs, [])
    const child = await holder(path, 'PRAGMA locking_mode = EXCLUSIVE')
    try {
      const { status, stderr } = await run(`content checkpoint update --store ${path} ${root}`)
      expect(status).to.equal(1)
      expect(stderr).to.include(`held by process ${child.pid}`)
    } finally {
      await killed(child)
    }
  })

  it('writes the only checkpoint of a content.files', async () => {
    const path = join(scratch(), 'content.files')
    cpSync(fixture('files', 'content.files'), path, { recursive: true })
    const { lines } = await run(`content roots --all --store ${path}`)
    const other = lines.map((line) => line.split('\t')).find(([, , , , , checkpoint]) => checkpoint === '-')?.[0]
    expect(other).to.be.a('string')
    expect((await run(`content checkpoint update --force --store ${path} ${other}`)).status).to.equal(0)
    await using store = await openStore(path)
    expect((await store.checkpoints()).map(({ rootref }) => rootref)).to.deep.equal([other])
  })

  for (const { name, isReal, start } of instanceKinds()) {
    it(`updates a live instance without its KVS: ${name}`, async () => {
      const blobs = new Blobs()
      const older = blobs.tree(primary('older'))
      const newer = blobs.tree(primary('newer'))
      await using instance = await start({
        blobs,
        namespaces: isReal ? {} : { primary: older },
        checkpoints: [older],
      })
      const update = `content checkpoint update --uri ${instance.uri} ${newer}`
      const busy = await run(update)
      expect(busy.status).to.equal(1)
      expect(busy.stderr).to.include('please unload kvs module before updating checkpoint')
      await instance.unloadKvs()
      const { status, stderr } = await run(update)
      expect(status, stderr).to.equal(0)
      const { lines } = await run(`content checkpoint list -j --uri ${instance.uri}`)
      const [first] = lines.map((line) => JSON.parse(line) as { rootref: string; sequence: number })
      expect(first?.rootref).to.equal(newer)
      expect(first?.sequence).to.be.greaterThan(100)
    })
  }
})
