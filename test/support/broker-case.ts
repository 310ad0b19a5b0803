/** Cases of the fault matrix whose fault is that of a broker. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { BrokerDouble, type BrokerDoubleOptions } from './broker-double.ts'
import { type FaultCase, faultMatrix, type Running, type Scene } from './fault-case.ts'
import { expected, fixture, scratch } from './fixtures.ts'

/** An instance with the store of the fixture `jobs`. */
export const INSTANCE: BrokerDoubleOptions & { content: string } = {
  content: fixture('jobs', 'content.sqlite'),
  namespaces: { primary: { rootref: expected('jobs').rootref, rootseq: 9 } },
}

/** How long a broker may be silent in these cases; as a flag it also brings a warning after half of it. */
export const TIMEOUT = ['--timeout', '600ms']
export const SILENCE_WARNING = /^flux-ts [\w ]+: \w+:\/\/\S+: no answer for [\d.]+ s; still waiting for .+$/

/** A {@link FaultCase} with a broker. */
export interface BrokerCase extends Omit<FaultCase, 'args' | 'status' | 'error'> {
  /** What the broker does otherwise than that of {@link INSTANCE}. */
  readonly broker?: (scene: Scene) => BrokerDoubleOptions
  /** In a process of its own, which gets a signal from itself at request number `at`. */
  readonly ownProcess?: { readonly at: number; readonly signal: NodeJS.Signals }
  /** Default: `dump -q OUTFILE`. FLUX_URI names the broker. */
  readonly args?: (scene: Scene) => readonly string[]
  /** Default: 1. */
  readonly status?: FaultCase['status']
  readonly error?: RegExp | undefined
}

/** The broker of a case. */
export function brokerOf(scene: Scene): BrokerDouble {
  return scene.held.broker as BrokerDouble
}

/** A test for each case of a table. */
export function brokerMatrix(title: string, cases: readonly BrokerCase[]): void {
  faultMatrix(title, cases.map(withBroker))
}

function withBroker({ broker: options, ownProcess, ...fault }: BrokerCase): FaultCase {
  return {
    args: ({ outfile }) => ['dump', '-q', outfile],
    status: 1,
    error: undefined,
    ...fault,
    prepare: async (scene) => {
      const undo = await fault.prepare?.(scene)
      const all = { ...INSTANCE, ...options?.(scene) }
      const broker = ownProcess ? await BrokerProcess.start(all, ownProcess) : await BrokerDouble.start(all)
      scene.held.broker = broker
      return async () => {
        await broker.close()
        await undo?.()
      }
    },
    env: (scene) => ({ FLUX_URI: brokerOf(scene).uri, SOURCE_DATE_EPOCH: '1700000000', ...fault.env?.(scene) }),
  }
}

const PROGRAM = fileURLToPath(new URL('./broker-process.ts', import.meta.url))

/** A double in a process of its own. */
class BrokerProcess {
  readonly uri: string
  /** Settles when it is about to signal itself. */
  readonly reached: Promise<unknown>
  readonly #kill: () => Promise<void>

  static async start(options: BrokerDoubleOptions, itself: BrokerCase['ownProcess']): Promise<BrokerProcess> {
    const words = [PROGRAM, JSON.stringify(options), JSON.stringify(itself)]
    const child = spawn(process.execPath, words, {
      // It cannot remove its socket itself.
      env: { ...process.env, TMPDIR: scratch() },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    const [uri] = (await once(lines, 'line')) as [string]
    return new BrokerProcess(uri, once(lines, 'line'), async () => {
      child.kill('SIGKILL')
      await exited
    })
  }

  private constructor(uri: string, reached: Promise<unknown>, kill: () => Promise<void>) {
    this.uri = uri
    this.reached = reached
    this.#kill = kill
  }

  close(): Promise<void> {
    return this.#kill()
  }
}

/** Settles when the broker of a case, in a process of its own, has come to its request. */
export async function reachedBy(scene: Scene): Promise<void> {
  await (scene.held.broker as BrokerProcess).reached
}

/** Settles when a process has no handler for a signal any more: the next one ends it. */
export async function unhandled(signal: number, { pid }: Running): Promise<void> {
  for (;;) {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
    if ((BigInt(`0x${caught}`) & (1n << BigInt(signal - 1))) === 0n) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
