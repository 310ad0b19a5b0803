/** Which source, root and target the flags mean. */
import { copyFileSync, linkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  openSource,
  openTarget,
  refuseToReplace,
  refuseUnlessLive,
  rootChoice,
  UsageError,
} from '../../src/cli/index.ts'
import { closedBy, noInstanceHint } from '../../src/cli/source-choice.ts'
import { FluxError } from '../../src/errors/index.ts'
import { fixture, scratch } from '../support/fixtures.ts'

const STORE = fixture('basic', 'content.sqlite')
const ARCHIVE = fixture('basic', 'dump.tar')
const ROOT = `sha1-${'0'.repeat(40)}`
const NEVER = new AbortController().signal

/** The error that something ends with. */
async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

/** Run with variables of the environment in place of what they are. */
function withEnv<T>(env: Record<string, string | undefined>, work: () => T): T {
  const set = (variables: typeof env) => {
    for (const [name, value] of Object.entries(variables)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]))
  try {
    set(env)
    return work()
  } finally {
    // Not a copy in place of `process.env`: the time zone would not change with that any more.
    set(before)
  }
}

describe('cli/source', () => {
  it('opens a store or an archive, and knows its checkpoint', async () => {
    for (const choice of [{ store: STORE }, { archive: ARCHIVE }]) {
      const store = await openSource({ ...choice, verify: true })
      expect(await store.checkpoints()).not.to.be.empty
      await store.close()
    }
  })

  it('refuses two sources, and what only a live instance has a meaning for', async () => {
    const refused: [choice: object, message: string][] = [
      [{ store: STORE, archive: ARCHIVE }, '--archive does not go with --store'],
      [{ store: STORE, uri: 'local:///x' }, '--uri does not go with --store'],
      [{ store: STORE, direct: false }, '--no-direct does not go with --store'],
      [{ archive: ARCHIVE, direct: true }, '--direct does not go with --archive'],
      [{ store: STORE, 'no-cache': true }, '--no-cache does not go with --store'],
      [{ archive: ARCHIVE, maxreqs: 2 }, '--maxreqs does not go with --archive'],
      [{ archive: ARCHIVE, namespace: 'x' }, '--namespace does not go with --archive'],
    ]
    for (const [choice, message] of refused) {
      const error = await failure(openSource({ ...choice, verify: true }))
      expect(error).to.be.instanceOf(UsageError).and.have.property('message', message)
    }
  })

  it('takes a namespace from the environment, unless a flag names one or it is empty', () => {
    const namespaceOf = (variable: string | undefined, namespace?: string) =>
      withEnv({ FLUX_KVS_NAMESPACE: variable }, () => rootChoice({ namespace }).namespace)
    expect(namespaceOf('mine')).to.equal('mine')
    expect(namespaceOf('mine', 'other')).to.equal('other')
    expect(namespaceOf('')).to.equal(undefined)
    expect(namespaceOf(undefined)).to.equal(undefined)
  })

  it('takes nothing but a blobref for a root', () => {
    expect(rootChoice({ root: ROOT }).root).to.equal(ROOT)
    for (const root of ['', 'sha1-00', ROOT.toUpperCase(), `${ROOT}0`]) {
      expect(() => rootChoice({ root }), root).to.throw(UsageError, `--root ${root}: not a blobref`)
    }
  })

  it('refuses to watch what does not change, and says why', () => {
    const check = (flags: object) => refuseUnlessLive(flags as Record<string, unknown>, ['watch', 'waitcreate'])
    check({ watch: true })
    check({ store: STORE, watch: false })
    expect(() => check({ store: STORE, watch: true })).to.throw('--watch does not go with --store')
    expect(() => check({ root: ROOT, waitcreate: true })).to.throw('--waitcreate does not go with --root')
    expect(() => refuseUnlessLive({ archive: 'x' }, 'kvs wait')).to.throw('kvs wait does not go with --archive')
  })

  it('refuses an archive in the place of the store that it is of, by any of its names', async () => {
    const dir = scratch()
    const path = join(dir, 'content.sqlite')
    copyFileSync(STORE, path)
    symlinkSync(path, join(dir, 'link.tar'))
    const store = await openSource({ store: path, verify: true })
    try {
      for (const name of ['content.sqlite', 'link.tar', './content.sqlite']) {
        expect(() => refuseToReplace(store, join(dir, name)), name).to.throw(UsageError, 'is the store')
      }
      refuseToReplace(store, join(dir, 'new.tar'))
      linkSync(fixture('basic', 'dump.tar'), join(dir, 'other.tar'))
      refuseToReplace(store, join(dir, 'other.tar'))
    } finally {
      await store.close()
    }
  })

  it('says what can be named instead, where no instance was named and none runs', () => {
    const hintOf = (code: 'ENOENT' | 'EPERM', uri: string | undefined, variable: string | undefined) =>
      withEnv({ FLUX_URI: variable }, () => (noInstanceHint(new FluxError(code, 'no'), uri) as FluxError).hint)
    expect(hintOf('ENOENT', undefined, undefined)).to.match(/--uri or FLUX_URI, a store on disk with --store PATH/)
    expect(hintOf('ENOENT', 'local:///x', undefined)).to.equal(undefined)
    expect(hintOf('ENOENT', undefined, 'local:///x')).to.equal(undefined)
    expect(hintOf('EPERM', undefined, undefined)).to.equal(undefined)
  })

  it('closes a live instance when it is interrupted, after those who still have something to send', async () => {
    for (const early of [true, false]) {
      const controller = new AbortController()
      const events: string[] = []
      if (early) controller.abort()
      const closed = new Promise<void>((resolve) => {
        closedBy(controller.signal, {
          close: async () => {
            events.push('closed')
            resolve()
          },
        })
      })
      controller.signal.addEventListener('abort', () => events.push('cancelled'))
      controller.abort()
      expect(events).not.to.include('closed')
      await closed
      expect(events).to.deep.equal(early ? ['closed'] : ['cancelled', 'closed'])
    }
  })
})

describe('cli/target', () => {
  it('writes nothing for a dry run, by the algorithm that is asked for', async () => {
    for (const hash of ['sha1', 'sha256']) {
      await using target = await openTarget({ 'dry-run': true, hash }, NEVER)
      expect(target).to.include({ name: 'nowhere', isDryRun: true, hash })
    }
  })

  it('refuses targets that do not go together, and no target', async () => {
    const refused: [choice: object, message: string][] = [
      [{}, 'Please specify a restore target with --checkpoint or --key'],
      [{ key: '.' }, 'error updating .: Invalid argument'],
      [{ key: '' }, 'error updating : Invalid argument'],
      [{ key: 'a', hash: 'sha1' }, '--hash is for --store and --dry-run'],
      [{ store: 'x', key: 'a' }, '--key does not go with --store'],
      [{ store: 'x', 'dry-run': true }, '--dry-run does not go with --store'],
      [{ store: 'x', 'sd-notify': true }, '--sd-notify does not go with --store'],
    ]
    for (const [choice, message] of refused) {
      const error = await failure(openTarget(choice, NEVER))
      expect(error).to.be.instanceOf(UsageError).and.have.property('message', message)
    }
  })

  it('makes a store on disk, whose newest checkpoint is what was committed', async () => {
    const path = join(scratch(), 'content.sqlite')
    {
      await using target = await openTarget({ store: path }, NEVER)
      expect(target.name).to.equal(`checkpoint of ${path}`)
      const { blobrefs, stored } = target.writer.storeBatch([Buffer.from('{"ver":1,"type":"dir","data":{}}')])
      const [rootref] = blobrefs
      await stored
      await target.commit({ rootref: rootref as string, timestamp: 1764000000 })
      expect(await target.afterCommit()).to.equal(undefined)
    }
    const store = await openSource({ store: path, verify: true })
    const [checkpoint] = await store.checkpoints()
    expect(checkpoint).to.include({ timestamp: 1764000000, sequence: 0 })
    await store.close()
  })
})
