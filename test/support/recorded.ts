/**
 * What the real tool says: asked here and now where there is one, and otherwise as it was written down.
 *
 * The answers are in `test/conformance/recorded/<topic>.json`, under the arguments they were given for. With
 * `FLUX_TS_TEST_REAL=1` and `flux` on PATH they are asked for, and not looked up; with `FLUX_TS_RECORD=1` they are written
 * down as well.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { has, type Outcome } from './processes.ts'

/** True when the real tool is to be asked. */
export const ASKS_REAL =
  (process.env.FLUX_TS_TEST_REAL !== undefined || process.env.FLUX_TS_RECORD !== undefined) && has('flux')

const RECORDS = process.env.FLUX_TS_RECORD !== undefined

interface Written {
  args: readonly string[]
  status: number | null
  /** Text; or in base64 what is not. */
  stdout: string | { base64: string }
  stderr: string
}

export class Recorded {
  readonly #file: URL
  readonly #answers: Map<string, Written>

  /** @param topic - names the file of answers */
  constructor(topic: string) {
    this.#file = new URL(`../conformance/recorded/${topic}.json`, import.meta.url)
    const known = RECORDS && ASKS_REAL ? [] : (JSON.parse(readFileSync(this.#file, 'utf8')) as Written[])
    this.#answers = new Map(known.map((answer) => [keyOf(answer.args), answer]))
  }

  /**
   * What the real tool answers.
   *
   * @param args - say which invocation it is; they must mean the same on every machine
   * @param ask - asks it
   */
  async answer(args: readonly string[], ask: () => Promise<Outcome>): Promise<Outcome> {
    if (ASKS_REAL) {
      const { status, stdout, stderr } = await ask()
      const text = stdout.toString()
      const isText = Buffer.from(text).equals(stdout)
      const written = isText ? text : { base64: stdout.toString('base64') }
      this.#answers.set(keyOf(args), { args, status, stdout: written, stderr })
      return { status, stdout, stderr }
    }
    const answer = this.#answers.get(keyOf(args))
    if (answer === undefined) {
      throw new Error(`no answer is recorded for ${args.join(' ')}: run with FLUX_TS_RECORD=1 where there is a flux`)
    }
    const { status, stdout, stderr } = answer
    return {
      status,
      stdout: typeof stdout === 'string' ? Buffer.from(stdout) : Buffer.from(stdout.base64, 'base64'),
      stderr,
    }
  }

  /** Write down what was answered, if that is asked for. For `after`. */
  save(): void {
    if (!RECORDS || !ASKS_REAL) return
    mkdirSync(dirname(fileURLToPath(this.#file)), { recursive: true })
    writeFileSync(this.#file, `${JSON.stringify([...this.#answers.values()], null, 2)}\n`)
  }
}

function keyOf(args: readonly string[]): string {
  return JSON.stringify(args)
}
