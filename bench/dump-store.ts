/**
 * `npm run bench -- dump-store [--keys N[,N...]] [--runs N] [--type tar|tgz] [--store PATH]`: lets the built CLI dump a
 * generated store shaped like a job history, or a given store. Prints keys/s, MB/s of values, and peak memory of the
 * process.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateStore } from './generate-store.ts'
import { measure } from './measure.ts'

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string', default: '100000' },
      runs: { type: 'string', default: '3' },
      type: { type: 'string', default: 'tar' },
      store: { type: 'string' },
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const sizes = values.store === undefined ? values.keys.split(',').map(Number) : [0]
    for (const keys of sizes) {
      const store = values.store ?? join(dir, `${keys}.sqlite`)
      const objects = values.store === undefined ? generateStore(store, keys).objects : undefined
      const results = Array.from({ length: Number(values.runs) }, () => once(store, dir, values.type))
      const best = results.reduce((a, b) => (a.seconds < b.seconds ? a : b))
      const peak = Math.max(...results.map(({ peakMb }) => peakMb))
      const rate = `${Math.round(best.keys / best.seconds).toLocaleString('en-US')} keys/s`
      const speed = `${(best.bytes / best.seconds / 1e6).toFixed(0)} MB/s of values`
      const of = objects === undefined ? '' : ` in ${objects} objects`
      console.log(`${best.keys} keys${of}: ${best.seconds.toFixed(2)} s, ${rate}, ${speed}, peak ${peak} MB`)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function once(store: string, dir: string, type: string) {
  const outfile = join(dir, `out.${type}`)
  const { wall, peakMb, stdout } = measure(dir, ['dump', '--json', '--store', store, outfile])
  rmSync(outfile)
  const { keyCount, valueBytes } = JSON.parse(stdout) as { keyCount: number; valueBytes: number }
  return { seconds: wall, keys: keyCount, bytes: valueBytes, peakMb }
}
