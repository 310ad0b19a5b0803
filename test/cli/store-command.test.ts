/** What a command over a whole store does around its work. */
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { Config, settings } from '@oclif/core'
import { expect } from 'chai'
import { StoreCommand } from '../../src/cli/index.ts'
import type { ContentStore } from '../../src/content/index.ts'
import { FluxError } from '../../src/errors/index.ts'
import { sourcePackageJson } from '../../tools/source-package-json.js'
import { copyOf, expected } from '../support/fixtures.ts'
import { errorsOf } from '../support/in-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
settings.enableAutoTranspile = false
const config = await Config.load({ ignoreManifest: true, pjson: sourcePackageJson(root), root })
const { rootref } = expected('jobs')

type Work = (store: ContentStore, command: Probe, signal: AbortSignal) => Promise<unknown>

/** A command whose work a test gives. */
class Probe extends StoreCommand {
  static override id = 'probe'
  readonly path: string
  readonly work: Work

  constructor(path: string, work: Work) {
    super([], config)
    this.path = path
    this.work = work
  }

  async run(): Promise<unknown> {
    return this.withStore({ store: this.path }, (store, signal) => this.work(store, this, signal), { quiet: true })
  }

  /** Report a fault, as work does. */
  tell(message: string): void {
    this.fault(message, 'damaged')
  }

  /** Run as oclif does, with errors printed. */
  start(): Promise<unknown> {
    return this._run()
  }
}

/** Run work over a copy of a store. */
async function outcome(work: Work) {
  const before = process.exitCode
  let store: ContentStore | undefined
  let result: unknown
  const path = copyOf('jobs', 'content.sqlite')
  const watched: Work = (opened, ...rest) => {
    store = opened
    return work(opened, ...rest)
  }
  process.exitCode = undefined
  try {
    const stderr = await errorsOf(async () => {
      result = await new Probe(path, watched).start().catch((error) => error)
    })
    return { path, stderr, result, store: store as ContentStore, status: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = before
  }
}

async function isClosed(store: ContentStore): Promise<boolean> {
  try {
    await store.loadBatch([rootref], 1)
    return false
  } catch {
    return true
  }
}

describe('a command over a whole store', () => {
  it('gives the result of its work, says nothing, and closes the store', async () => {
    const { stderr, result, status, store } = await outcome(async (store) => (await store.checkpoints())[0]?.rootref)
    expect({ stderr, result, status }).to.deep.equal({ stderr: '', result: rootref, status: 0 })
    expect(await isClosed(store)).to.equal(true)
  })

  it('closes the store when its work fails', async () => {
    const { stderr, status, store } = await outcome(() => Promise.reject(new FluxError('EIO', 'the disk is gone')))
    expect(stderr).to.match(/^flux-ts probe: the disk is gone/)
    expect(status).to.equal(1)
    expect(await isClosed(store)).to.equal(true)
  })

  it('fails when another process changed the store during its work', async () => {
    const { path, result, status, stderr } = await outcome(async ({ name }) => {
      const db = new DatabaseSync(name)
      db.exec('DELETE FROM objects')
      db.close()
    })
    expect(result).to.include({ code: 'EBUSY' })
    expect(stderr).to.include(`${path}: changed while it was read`)
    expect(status).to.equal(1)
  })

  it('goes on after a fault, and fails at the end with exit status 1', async () => {
    const { stderr, result, status } = await outcome(async (_, command) => {
      command.tell('one blob is damaged')
      return 'the rest'
    })
    expect({ stderr, result, status }).to.deep.equal({
      stderr: 'flux-ts probe: one blob is damaged\n',
      result: 'the rest',
      status: 1,
    })
  })
})
