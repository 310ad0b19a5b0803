/**
 * `npm run bench -- read-archive [--members N] [--bytes N] [--runs N]`: reads generated archives with this library, and
 * with `bsdtar -tf`, which reads only the names. Prints members/s, and the ratio of the two times.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createArchive, openArchive } from '../src/archive/index.ts'

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 }

/** The commands that make the other kinds of archive from a tar. */
const KINDS: readonly [name: string, command: string][] = [
  ['x.tgz', 'gzip -c x.tar > x.tgz'],
  ['x.tar.zst', 'zstd -q -c x.tar > x.tar.zst'],
  ['x.tar.bz2', 'bzip2 -c x.tar > x.tar.bz2'],
  ['x.tar.xz', 'xz -1 -T0 -c x.tar > x.tar.xz'],
  ['x.cpio', 'bsdtar -c -f x.cpio --format=newc @x.tar'],
  ['x.zip', 'bsdtar -c -f x.zip --format=zip @x.tar'],
]

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      members: { type: 'string', default: '100000' },
      bytes: { type: 'string', default: '700' },
      runs: { type: 'string', default: '3' },
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    await generate(join(dir, 'x.tar'), Number(values.members), Number(values.bytes))
    for (const [name, command] of [['x.tar', 'true'], ...KINDS] as const) {
      if (spawnSync('sh', ['-c', command], { cwd: dir }).status !== 0) {
        console.log(`${name}: cannot be made here`)
        continue
      }
      const path = join(dir, name)
      const ours: { seconds: number; members: number; bytes: number }[] = []
      let theirs = Number.POSITIVE_INFINITY
      for (let n = 0; n < Number(values.runs); n++) {
        ours.push(await once(path))
        const started = performance.now()
        spawnSync('bsdtar', ['-tf', path], { stdio: 'ignore' })
        theirs = Math.min(theirs, (performance.now() - started) / 1000)
      }
      const best = ours.reduce((a, b) => (a.seconds < b.seconds ? a : b))
      const rate = Math.round(best.members / best.seconds).toLocaleString('en-US')
      const ratio = (best.seconds / theirs).toFixed(2)
      console.log(
        `${name}: ${best.seconds.toFixed(2)} s, ${rate} members/s, ${ratio} of bsdtar's ${theirs.toFixed(2)} s`,
      )
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function generate(path: string, members: number, bytes: number): Promise<void> {
  const archive = await createArchive(path, { attributes: ATTRIBUTES })
  const record = '{"timestamp":1700000000.123,"name":"submit","context":{"userid":1000,"urgency":16}}\n'
  const value = Buffer.from(record.repeat(Math.ceil((2 * bytes) / record.length)))
  for (let n = 0; n < members; n++) {
    const size = Math.round(bytes * ((n % 5) / 2))
    archive.file(`job/0000/${n >> 8}/${n & 255}/eventlog`, size, [value.subarray(0, size)])
    if (n % 256 === 0) await archive.flush()
  }
  await archive.finish()
}

async function once(path: string) {
  const started = performance.now()
  await using archive = await openArchive(path)
  let members = 0
  let bytes = 0
  for await (const batch of archive.batches()) {
    members += batch.length
    for (const member of batch) bytes += member.data?.length ?? 0
  }
  return { seconds: (performance.now() - started) / 1000, members, bytes }
}
