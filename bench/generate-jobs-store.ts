/**
 * `node bench/generate-jobs-store.ts FILE [--jobs N] [--restored]`: writes a `content.sqlite` with the jobs of a busy
 * cluster, as Flux writes them: ids that hold the time of submission, eventlogs with one blob for each event, jobspecs
 * without the environment, which only the signed `J` holds. The same arguments give the same store.
 */
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openStoreWriter } from '../src/content/index.ts'
import { jobKey, valrefText, valText } from '../src/kvs/index.ts'
import { Hostlist, Idset } from '../src/resource/index.ts'
import { TreeBuilder } from '../src/restore/index.ts'
import { random } from './random.ts'

/** Options of {@link generateJobsStore}. */
export interface JobsStoreOptions {
  jobs: number
  /** Store each eventlog as one blob, as a restore does, and not as one for each event. */
  restored?: boolean
}

const NODES = 1024
const CORES = 96
const GPUS = 4
const QUEUES = [
  ['batch', 0.75],
  ['debug', 0.15],
  ['gpu', 0.1],
] as const
const NAMES = ['lammps', 'gromacs', 'train.sh', 'run.sh', 'cfd-solver', 'postprocess', 'python3', 'sweep', 'hostname']
/** When the instance was made, and over how many seconds its jobs were submitted. */
const EPOCH = 1_781_000_000
const SPAN = 120 * 86_400

/** Write the store. @param path - an existing file is removed */
export async function generateJobsStore(path: string, options: JobsStoreOptions): Promise<{ rootref: string }> {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  await using writer = await openStoreWriter(path)
  const tree = new TreeBuilder({ hash: writer.hash })
  try {
    const history = new History(options.jobs)
    for (let n = 0; n < options.jobs; ) {
      const blobs: Buffer[] = []
      const leaves: { key: string[]; from: number; to: number; size: number }[] = []
      for (const end = Math.min(options.jobs, n + 2000); n < end; n++) {
        const { id, records } = history.next()
        for (const [name, pieces] of records) {
          const from = blobs.length
          const texts = options.restored ? [pieces.join('')] : pieces
          for (const text of texts) blobs.push(Buffer.from(text))
          const size = blobs.slice(from).reduce((sum, { length }) => sum + length, 0)
          leaves.push({ key: [...jobKey(id).split('.'), ...name.split('.')], from, to: blobs.length, size })
        }
      }
      const { blobrefs, stored } = writer.storeBatch(blobs)
      for (const { key, from, to, size } of leaves) {
        const refs = blobrefs.slice(from, to)
        tree.put(key, refs.length === 1 ? (refs[0] as string) : valrefText(refs), size)
      }
      await stored
      if (tree.isFull) await tree.spill()
    }
    tree.put(['resource', 'eventlog'], valText(Buffer.from('{"timestamp":1781000000.0,"name":"restart"}\n')), 44)
    const rootref = await tree.build(async (blobs) => {
      const { blobrefs, stored } = writer.storeBatch(blobs, true)
      await stored
      return blobrefs
    })
    await writer.commit({ rootref, sequence: options.jobs, timestamp: EPOCH + SPAN })
    return { rootref }
  } finally {
    await tree.close()
  }
}

type Outcome =
  | 'completed'
  | 'failed'
  | 'signal'
  | 'canceled'
  | 'withdrawn'
  | 'timeout'
  | 'lost-node'
  | 'running'
  | 'pending'

/** Makes one job after the other. */
class History {
  readonly #jobs: number
  readonly #random = random(18)
  /** Base64 text, of which signed jobspecs are cut. */
  readonly #noise: string
  #made = 0
  #time = EPOCH
  /** How many jobs are left of the burst that a script is submitting, and what it submits. */
  #burst = 0
  #user = 0
  #name = ''
  #queue = ''
  #nnodes = 1
  #lastMs = 0
  #sequence = 0

  constructor(jobs: number) {
    this.#jobs = jobs
    this.#noise = Buffer.from(Array.from({ length: 40_000 }, () => Math.floor(this.#random() * 256))).toString('base64')
  }

  next(): { id: bigint; records: [name: string, pieces: string[]][] } {
    const submit = this.#submit()
    const ms = Math.floor((submit - EPOCH) * 1000)
    this.#sequence = ms === this.#lastMs ? this.#sequence + 1 : 0
    this.#lastMs = ms
    const id = (BigInt(ms) << 24n) | BigInt(this.#sequence)
    const outcome = this.#outcome()
    const { nnodes, cores, gpus, duration, jobspec } = this.#jobspec()
    const ran = outcome !== 'withdrawn' && outcome !== 'pending'
    const wait = 0.05 + (this.#random() < 0.4 ? 0 : -Math.log(1 - this.#random()) * 4000)
    const ranks = this.#ranks(nnodes)
    const alloc = submit + wait
    const expiration = alloc + duration
    const eventlog = this.#eventlog({ submit, alloc, duration, outcome, ranks, cores })
    const records: [string, string[]][] = [
      ['J', [`${this.#noise.slice(0, 60)}.${this.#cut(2700 + this.#random() * 2600)}.none`]],
      ['eventlog', eventlog],
      ['jobspec', [JSON.stringify(jobspec)]],
    ]
    if (ran) {
      const children = { core: `0-${cores - 1}`, ...(gpus > 0 ? { gpu: `0-${gpus - 1}` } : {}) }
      const nodelist = Hostlist.of([...ranks].map((rank) => `node${String(rank).padStart(4, '0')}`))
      const execution = {
        R_lite: [{ rank: String(ranks), children }],
        starttime: alloc,
        expiration,
        nslots: nnodes,
        nodelist: [String(nodelist)],
      }
      records.push(
        ['R', [JSON.stringify({ version: 1, execution })]],
        [
          'guest.exec.eventlog',
          [`${event(alloc, 'init')}${event(alloc + 0.1, 'shell.init', { 'leader-rank': 0, size: 1 })}`],
        ],
      )
    }
    return { id, records: records.toSorted(([a], [b]) => (a < b ? -1 : 1)) }
  }

  /** The time of submission. Most jobs are submitted by scripts, many at once. */
  #submit(): number {
    const rand = this.#random
    if (this.#burst > 0) {
      this.#burst--
      this.#time += 0.003 + rand() * 0.05
      return this.#time
    }
    const kind = rand()
    this.#burst = kind < 0.6 ? 0 : kind < 0.9 ? Math.floor(rand() * 20) : Math.floor(rand() * 300)
    this.#user = 5000 + Math.floor(rand() ** 3 * 60)
    this.#name = NAMES[Math.floor(rand() * NAMES.length)] as string
    let share = rand()
    this.#queue = QUEUES.find(([, part]) => (share -= part) < 0)?.[0] ?? 'batch'
    this.#nnodes = rand() < 0.7 ? 1 : 2 ** Math.floor(rand() * 8)
    // A burst has 19 jobs on average.
    this.#time += rand() * 2 * ((SPAN * 19) / this.#jobs)
    return this.#time
  }

  #outcome(): Outcome {
    const n = this.#made++
    // A service runs since the beginning, and others at the end have not ended yet.
    if (n === 3) return 'running'
    if (n >= this.#jobs - 40) return n >= this.#jobs - 15 ? 'pending' : 'running'
    const share = this.#random()
    if (share < 0.85) return 'completed'
    if (share < 0.91) return 'failed'
    if (share < 0.92) return 'signal'
    if (share < 0.94) return 'withdrawn'
    if (share < 0.96) return 'canceled'
    return share < 0.99 ? 'timeout' : 'lost-node'
  }

  #jobspec() {
    const rand = this.#random
    const [nnodes, queue] = [this.#nnodes, this.#queue]
    const cores = rand() < 0.5 ? CORES : 8
    const gpus = queue === 'gpu' ? GPUS : 0
    const duration = queue === 'debug' ? 1800 : 3600 * (1 + Math.floor(rand() * 24))
    const cwd = `/p/lustre/user${this.#user}/${this.#name}/run-${Math.floor(rand() * 1e6)}`
    const slot = [{ type: 'core', count: cores }, ...(gpus > 0 ? [{ type: 'gpu', count: gpus }] : [])]
    const jobspec = {
      resources: [{ type: 'node', count: nnodes, with: [{ type: 'slot', count: 1, with: slot, label: 'task' }] }],
      tasks: [{ command: [`${cwd}/${this.#name}`, '--seed', String(rand())], slot: 'task', count: { per_slot: 1 } }],
      attributes: {
        system: {
          duration,
          cwd,
          queue,
          bank: `bank${this.#user % 7}`,
          ...(this.#user % 3 === 0 ? { project: `project${this.#user % 5}` } : {}),
          ...(rand() < 0.3 ? { job: { name: `${this.#name}-${Math.floor(rand() * 100)}` } } : {}),
          shell: {
            options: {
              rlimit: {
                cpu: -1,
                fsize: -1,
                data: -1,
                stack: 8388608,
                core: 0,
                nofile: 20000,
                as: -1,
                rss: -1,
                nproc: 96365,
              },
              output: { stdout: { type: 'file', path: `${cwd}/out-{{id}}.log` } },
            },
          },
        },
      },
      version: 1,
    }
    return { nnodes, cores, gpus, duration, jobspec }
  }

  #ranks(nnodes: number): Idset {
    const first = Math.floor(this.#random() * (NODES - nnodes * 2))
    const gap = this.#random() < 0.3 ? nnodes : 0
    const half = Math.ceil(nnodes / 2)
    return Idset.of(Array.from({ length: nnodes }, (_, i) => first + i + (i >= half ? gap : 0)))
  }

  #eventlog(job: { submit: number; alloc: number; duration: number; outcome: Outcome; ranks: Idset; cores: number }) {
    const { submit, alloc, duration, outcome, ranks, cores } = job
    const events = [
      event(submit, 'submit', { userid: this.#user, urgency: 16, flags: 0, version: 1 }),
      event(submit + 0.0121, 'validate'),
      event(submit + 0.0242, 'depend'),
      event(submit + 0.0243, 'priority', { priority: 16 + (this.#user % 1000) }),
    ]
    if (outcome === 'pending') return events
    if (outcome === 'withdrawn') {
      const at = alloc + 1
      events.push(
        event(at, 'exception', { type: 'cancel', severity: 0, note: '', userid: this.#user }),
        event(at, 'clean'),
      )
      return events
    }
    const summary = `rank${ranks.toBracketed()}/core[0-${cores - 1}]`
    events.push(event(alloc, 'alloc', { annotations: { sched: { resource_summary: summary } } }))
    events.push(event(alloc + 0.011, 'start'))
    if (outcome === 'running') return events
    const whole = outcome === 'timeout'
    const end = alloc + 0.2 + (whole ? duration : duration * this.#random() ** 4)
    let status = 0
    if (outcome === 'failed') status = (1 + Math.floor(this.#random() * 3)) << 8
    if (outcome === 'signal') status = 11
    const exception = { timeout: 'resource allocation expired', canceled: '', 'lost-node': 'lost contact with node' }
    if (Object.hasOwn(exception, outcome)) {
      const type = outcome === 'canceled' ? 'cancel' : outcome === 'timeout' ? 'timeout' : 'node-failure'
      const note = exception[outcome as keyof typeof exception]
      events.push(
        event(end - 0.1, 'exception', { type, severity: 0, note, userid: outcome === 'canceled' ? this.#user : 0 }),
      )
      status = 36_608
    }
    events.push(
      event(end, 'finish', { status }),
      event(end + 0.003, 'release', { ranks: 'all', final: true }),
      event(end + 0.0031, 'free'),
      event(end + 0.0032, 'clean'),
    )
    return events
  }

  #cut(length: number): string {
    const from = Math.floor(this.#random() * (this.#noise.length - length))
    return this.#noise.slice(from, from + length)
  }
}

function event(timestamp: number, name: string, context?: object): string {
  return `${JSON.stringify({ timestamp: Number(timestamp.toFixed(7)), name, context })}\n`
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { jobs: { type: 'string', default: '30000' }, restored: { type: 'boolean', default: false } },
  })
  const [path] = positionals
  if (path === undefined) throw new Error('usage: generate-jobs-store.ts FILE [--jobs N] [--restored]')
  await generateJobsStore(path, { jobs: Number(values.jobs), restored: values.restored })
}
