/**
 * `npm run bench -- formats [--keys N] [--runs N] [--types tar,tgz,...] [--dir PATH]`: compares a dump of a generated
 * store by the built CLI with `bsdtar`, which writes the unpacked tree to the same format, with all threads that it can
 * use. For the type `directory`, `bsdtar` unpacks a tar. The two take turns. Prints the best wall time of each, and
 * their ratio. The time includes the start of the CLI, which matters more for a small store.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { generateStore } from './generate-store.ts'

const CLI = fileURLToPath(new URL('../bin/run.js', import.meta.url))

/** The options of bsdtar for each type. It uses one thread for deflate and bzip2. */
const THEIRS: Readonly<Record<string, readonly string[]>> = {
  tar: ['--format=paxr'],
  tgz: ['--format=paxr', '-z'],
  'tar.bz2': ['--format=paxr', '-j'],
  'tar.xz': ['--format=paxr', '-J', '--options=xz:threads=0'],
  'tar.zst': ['--format=paxr', '--zstd', '--options=zstd:threads=0'],
  zip: ['--format=zip'],
  cpio: ['--format=odc'],
  iso: ['--format=iso9660', '--options=iso9660:!limit-dirs'],
}
const DIRECTORY = 'directory'

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string', default: '200000' },
      runs: { type: 'string', default: '3' },
      types: { type: 'string', default: [...Object.keys(THEIRS), DIRECTORY].join(',') },
      dir: { type: 'string', default: tmpdir() },
    },
  })
  const dir = mkdtempSync(join(values.dir, 'flux-ts-bench-'))
  try {
    const store = join(dir, 'content.sqlite')
    generateStore(store, Number(values.keys))
    const tree = join(dir, 'tree')
    const tar = join(dir, 'tree.tar')
    // List only files: a dump has no members for directories, which would be half of all members.
    for (const argv of [
      [CLI, 'dump', '-q', '--store', store, `${tree}/`],
      [CLI, 'dump', '-q', '--store', store, tar],
    ])
      seconds(process.execPath, argv)
    const list = join(dir, 'list')
    spawnSync('sh', ['-c', `cd "${tree}" && find . -type f > "${list}"`])
    for (const type of values.types.split(',')) {
      const out = join(dir, 'out')
      const ours = type === DIRECTORY ? `${out}/` : `${out}.${type}`
      const ourTimes: number[] = []
      const theirTimes: number[] = []
      let bytes = ''
      for (let n = 0; n < Number(values.runs); n++) {
        ourTimes.push(seconds(process.execPath, [CLI, 'dump', '-q', '--store', store, ours]))
        const size = type === DIRECTORY ? 0 : statSync(ours).size
        rmSync(ours, { recursive: true })
        if (type === DIRECTORY) {
          mkdirSync(out)
          theirTimes.push(seconds('bsdtar', ['-xf', tar, '-C', out]))
          rmSync(out, { recursive: true })
        } else {
          theirTimes.push(seconds('bsdtar', ['-cf', ours, ...(THEIRS[type] ?? []), '-C', tree, '-n', '-T', list]))
          bytes = `, ${(size / 1e6).toFixed(1)} MB to ${(statSync(ours).size / 1e6).toFixed(1)} MB`
          rmSync(ours)
        }
      }
      const [us, them] = [Math.min(...ourTimes), Math.min(...theirTimes)]
      console.log(`${type}: ${us.toFixed(2)} s, bsdtar ${them.toFixed(2)} s: ratio ${(us / them).toFixed(2)}${bytes}`)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function seconds(command: string, argv: readonly string[]): number {
  const started = performance.now()
  const { status, stderr, error } = spawnSync(command, argv, { encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`${command} ${argv.join(' ')}: ${stderr}`)
  return (performance.now() - started) / 1000
}
