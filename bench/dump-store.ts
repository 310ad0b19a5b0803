/**
 * `npm run bench -- dump-store [--keys N[,N...]] [--runs N] [--type tar|tgz] [--store PATH]`: lets the built CLI dump a
 * generated store shaped like a job history, or a given store. Prints keys/s, MB/s of values, and peak memory of the
 * process.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { generateStore } from './generate-store.ts'

const CLI = fileURLToPath(new URL('../bin/run.js', import.meta.url))

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
    // The process writes its own peak memory when it ends. getrusage(2) would include the parent's peak before exec.
    const probe = join(dir, 'probe.mjs')
    writeFileSync(
      probe,
      `import { readFileSync, writeFileSync } from 'node:fs'
       const peak = () => {
         try { return /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] }
         catch { return String(process.resourceUsage().maxRSS) }
       }
       process.on('exit', () => writeFileSync(process.env.BENCH_PEAK, peak()))`,
    )
    const sizes = values.store === undefined ? values.keys.split(',').map(Number) : [0]
    for (const keys of sizes) {
      const store = values.store ?? join(dir, `${keys}.sqlite`)
      const objects = values.store === undefined ? generateStore(store, keys).objects : undefined
      const results = Array.from({ length: Number(values.runs) }, () => once(store, dir, values.type, probe))
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

function once(store: string, dir: string, type: string, probe: string) {
  const env = { ...process.env, BENCH_PEAK: join(dir, 'peak') }
  const outfile = join(dir, `out.${type}`)
  const argv = ['--import', pathToFileURL(probe).href, CLI, 'dump', '--json', '--store', store, outfile]
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' })
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(`dump failed: ${stdout}${stderr}`)
  const { keyCount, valueBytes } = JSON.parse(stdout) as { keyCount: number; valueBytes: number }
  const peakKb = Number(readFileSync(env.BENCH_PEAK, 'utf8'))
  rmSync(outfile)
  return { seconds, keys: keyCount, bytes: valueBytes, peakMb: Math.round(peakKb / 1024) }
}
