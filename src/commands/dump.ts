import { dirname } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { ARCHIVE_EXTENSIONS, archiveTypeOf, compressionLevel } from '../archive/index.ts'
import {
  type DumpSummary,
  directFlag,
  errorLine,
  FluxCommand,
  globFlags,
  interruptible,
  isLive,
  jobKeys,
  keepNotified,
  limitFlags,
  openSource,
  paceFlags,
  refuseToReplace,
  rootChoice,
  rootFlags,
  showTasks,
  sourceFlags,
  UsageError,
  type Verbosity,
} from '../cli/index.ts'
import { blobrefHash, type ContentStore } from '../content/index.ts'
import { type DumpProgress, type DumpResult, Dump as DumpRun, dumpTasks } from '../dump/index.ts'
import { FluxError, isoTime } from '../errors/index.ts'
import type { Snapshot } from '../kvs/index.ts'

export default class Dump extends FluxCommand {
  static override summary = 'Write KVS snapshot to portable archive'

  static override description =
    `Writes a snapshot of the Flux key-value store to a file in a portable archive format. The snapshot is the current root of the primary namespace, unless another root is named. It is one point in time: commits during the dump do not change it.

The extension of OUTFILE determines the format and the compression: ${ARCHIVE_EXTENSIONS.join(', ')}. If OUTFILE ends in /, a directory is made. - is standard output, which must not be a terminal; the format is then uncompressed ${archiveTypeOf('-').format}, unless --format is given. The file or directory appears under its name when it is complete, or not at all. Only its owner can read it, unless --mode is given.

Values and symbolic links are archived under their keys, with slashes instead of dots. Directories are not archived themselves, so empty ones are left out. A link with a namespace has NAMESPACE:: before its target. The mode of members is 0644, and owner and group are the caller's. Their time is that of the checkpoint, or else the start of the dump; SOURCE_DATE_EPOCH overrides both. The same root always gives the same bytes if time and owner are the same.`

  static override examples = [
    {
      description: 'Dump the instance that FLUX_URI names, or the system instance',
      command: '<%= config.bin %> <%= command.id %> kvs.tgz',
    },
    {
      description: 'Dump the newest checkpoint of an instance that is down',
      command: '<%= config.bin %> <%= command.id %> --store /var/lib/flux kvs.tgz',
    },
    {
      description: 'Dump an older checkpoint, and leave out what can no longer be read',
      command:
        '<%= config.bin %> <%= command.id %> --store /var/lib/flux --checkpoint-index 2 --ignore-failed-read kvs.tar',
    },
    {
      description: 'Dump one job, and the keys below resource and admin',
      command: `<%= config.bin %> <%= command.id %> --store /var/lib/flux --job f2CCFUrT --key resource --key admin jobs.tar`,
    },
    {
      description: 'Dump all jobspecs',
      command: `<%= config.bin %> <%= command.id %> --store /var/lib/flux --include 'job/**/jobspec' jobspecs.tgz`,
    },
    {
      description: 'Dump to standard output',
      command: '<%= config.bin %> <%= command.id %> --quiet --store /var/lib/flux - | tar tvf -',
    },
  ]

  static override args = {
    outfile: Args.string({
      name: 'OUTFILE',
      description:
        'archive to write; its extension is the format; a name that ends in / is a directory; - is standard output',
      required: true,
    }),
  }

  static override flags = {
    ...sourceFlags,
    ...rootFlags,
    'ignore-failed-read': Flags.boolean({
      summary: 'leave out keys that cannot be read, with a warning, instead of failing',
      helpGroup: 'SNAPSHOT',
    }),
    key: Flags.string({
      summary: 'dump only this key: a directory and all keys below it, or one value; may be given several times',
      description:
        'Keys keep their full path. Symbolic links on the way to KEY are followed. If KEY itself is a link, the link is dumped.',
      helpValue: 'KEY',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'SELECTION',
    }),
    job: Flags.string({
      summary: 'dump only this job, given by its id in any form; may be given several times',
      helpValue: 'ID',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'SELECTION',
    }),
    ...globFlags('dump'),
    ...limitFlags,
    format: Flags.string({
      summary: 'write this format, whatever the extension of OUTFILE',
      options: ARCHIVE_EXTENSIONS.map((extension) => extension.slice(1)),
      helpValue: 'EXT',
      helpGroup: 'OUTPUT',
    }),
    level: Flags.integer({
      summary: 'compression level; the range depends on the format',
      helpValue: 'N',
      helpGroup: 'OUTPUT',
    }),
    mode: Flags.string({
      summary: 'permissions of OUTFILE in octal, or umask for those that the umask allows (default: 600)',
      description:
        'Without --mode, a file of yours that is replaced keeps its permissions. If OUTFILE is a directory, all files in it get the permissions.',
      helpValue: 'MODE',
      helpGroup: 'OUTPUT',
    }),
    checksum: Flags.boolean({
      summary: 'write the SHA-256 of OUTFILE to OUTFILE.sha256, for sha256sum -c',
      helpGroup: 'OUTPUT',
    }),
    'verify-after': Flags.boolean({
      summary: 'read what was written before it gets its name, and compare every key and value',
      description:
        'The archive is read from disk as a restore would read it. The root that comes out depends on every key, value and link in it, and must be the one that the dump computed from what it read. Otherwise no archive is left.',
      helpGroup: 'OUTPUT',
    }),
    threads: Flags.integer({
      summary: 'compress with N threads (default: one for each processor); the bytes are the same',
      helpValue: 'N',
      min: 1,
      helpGroup: 'OUTPUT',
    }),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'list keys on stderr as they are dumped, instead of a periodic count',
      exclusive: ['quiet'],
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({ char: 'q', summary: 'do not show the periodic count of dumped keys', helpGroup: 'OUTPUT' }),
    ...paceFlags,
    ...directFlag,
  }

  async run(): Promise<object> {
    const started = performance.now()
    const startSeconds = Math.floor(Date.now() / 1000)
    const { args, flags } = await this.parse(Dump)
    const { outfile } = args
    const { format, level, threads } = flags
    checkOutput(outfile, format, level)
    if (outfile === '-' && this.jsonEnabled()) {
      throw new UsageError('--json and - both want standard output', 'name a file')
    }
    if (outfile === '-' && process.stdout.isTTY) {
      throw new UsageError(
        'an archive is not written to a terminal',
        'name a file, or send standard output to a pipe or file',
      )
    }
    const fileMode = parseMode(flags.mode)
    for (const flag of ['checksum', 'verify-after'] as const) {
      if (outfile === '-' && flags[flag]) throw new UsageError(`--${flag} needs a file`, 'name one instead of -')
    }
    if (flags.checksum && outfile.endsWith('/')) throw new UsageError('--checksum needs a file', 'a directory has none')
    const choice = rootChoice(flags)
    const mtimeSeconds = sourceDateEpoch()
    const keys = [...(flags.key ?? []), ...jobKeys(flags.job ?? [])]
    const verbosity: Verbosity = flags.quiet || this.jsonEnabled() ? 'quiet' : flags.verbose ? 'verbose' : 'normal'
    const result = await interruptible(async (signal) => {
      await using store = await openSource({
        ...flags,
        scratchDirs: outfile === '-' ? [] : [dirname(outfile)],
        onWarning: this.complain,
        progress: this.progress({ quiet: verbosity !== 'normal' }),
        signal,
      })
      // From here on, the tasks of the dump are shown.
      this.progress()?.end()
      if (flags.store !== undefined) refuseToReplace(store, outfile)
      const dump = new DumpRun({
        store,
        outfile,
        format,
        level,
        threads,
        fileMode,
        checksum: flags.checksum,
        verify: flags['verify-after'] ? (path, rootref) => verifyWritten(outfile, path, rootref, signal) : undefined,
        ...choice,
        keys,
        include: flags.include,
        exclude: flags.exclude,
        ignoreFailedRead: flags['ignore-failed-read'],
        maxKeys: flags['max-keys'],
        maxDepth: flags['max-depth'],
        startSeconds,
        mtimeSeconds,
        onMembers: verbosity === 'verbose' ? (paths) => printMembers(paths) : undefined,
        onWarning: this.complain,
        signal,
      })
      const { tasks, printMembers } = dumpTasks(dump, {
        live: isLive(verbosity),
        now: () => performance.now(),
        objects: () => store.objects,
        direct: () => store.counts?.direct ?? 0,
      })
      const status = () => `${this.called}: archived ${dump.progress.keys} keys${leftOver(dump.progress)}`
      const stopNotifying = flags['sd-notify']
        ? keepNotified(store.instance ?? {}, () => `flux-dump(1) has archived ${dump.progress.keys} keys`)
        : undefined
      const resolved = (snapshot: Snapshot) =>
        this.announce('flux:resolved', { command: 'dump', source: store.name, snapshot })
      const [result] = await Promise.all([
        dump.run().finally(() => stopNotifying?.()),
        showTasks(tasks, verbosity, status),
        dump.resolved.then(resolved, () => {}),
      ])
      if (isLive(verbosity)) process.stderr.write(`${status()}\n`)
      return summary(result, store, (performance.now() - started) / 1000)
    })
    await this.announce('flux:written', { command: 'dump', summary: result })
    return result
  }
}

const FAULTY = 'the disk or the memory may be faulty'

/** @throws {FluxError} `EBADMSG` the archive does not give the root that the dump has computed */
export async function verifyWritten(
  outfile: string,
  path: string,
  rootref: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (rootref === undefined) {
    throw new FluxError('ENOTSUP', `${outfile}: cannot be verified: a key or the target of a link is not Unicode text`)
  }
  const { archiveInfo } = await import('../restore/index.ts')
  const hash = blobrefHash(rootref)
  const found = await archiveInfo(path, { hash, signal }).catch((error: FluxError) => {
    if (error.code !== 'EBADMSG') throw error
    const what = `what was written cannot be read back: ${error.message}`
    throw new FluxError('EBADMSG', `${outfile}: ${what}`, { cause: error, hint: FAULTY })
  })
  if (found.rootref === rootref) return
  const what = `what was written does not hold what was read: it gives ${found.rootref} instead of ${rootref}`
  throw new FluxError('EBADMSG', `${outfile}: ${what}`, { hint: FAULTY })
}

function leftOver({ skipped, skippedDirs, encoded }: DumpProgress): string {
  const parts = []
  if (skipped > skippedDirs) parts.push(`, ${skipped - skippedDirs} skipped`)
  if (skippedDirs === 1) parts.push(', 1 unreadable directory (keys below it unknown)')
  if (skippedDirs > 1) parts.push(`, ${skippedDirs} unreadable directories (keys below them unknown)`)
  if (encoded > 0) parts.push(`, ${encoded} under an encoded path`)
  return parts.join('')
}

function summary(result: DumpResult, { instance, counts }: ContentStore, seconds: number): DumpSummary {
  const { format, filter, snapshot } = result
  const { rootref, hash, timestamp = null, sequence = null, namespace = null } = snapshot
  return {
    archive: result.outfile,
    format,
    filter,
    rootref,
    recordedRootref: format === 'directory' ? null : (result.restoredRootref ?? null),
    hash,
    timestamp,
    time: isoTime(timestamp),
    sequence,
    namespace,
    keyCount: result.keys,
    symlinkCount: result.symlinks,
    blobCount: result.blobs,
    directBlobCount: instance && counts ? counts.direct : null,
    brokerBlobCount: instance && counts ? counts.loaded - counts.direct : null,
    valueBytes: result.bytes,
    unpackedBytes: result.archiveBytes,
    fileBytes: result.fileBytes ?? null,
    skippedCount: result.skipped,
    skippedDirectoryCount: result.skippedDirs,
    encodedCount: result.encoded,
    seconds: Number(seconds.toFixed(3)),
  }
}

function checkOutput(outfile: string, format: string | undefined, level: number | undefined): void {
  try {
    compressionLevel(archiveTypeOf(outfile, format), level)
  } catch (error) {
    throw new UsageError(errorLine(error))
  }
}

/** Parse permissions as chmod(1) takes them in octal. setuid, setgid and the sticky bit are refused. */
function parseMode(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (text === 'umask') return 0o666 & ~process.umask()
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8)
  throw new UsageError(`--mode ${text}: not permissions`, 'give three octal digits, such as 640, or umask')
}

/** @see https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDateEpoch(): number | undefined {
  const text = process.env.SOURCE_DATE_EPOCH
  if (text === undefined || text === '') return undefined
  const seconds = Number(text)
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds
  throw new UsageError(`SOURCE_DATE_EPOCH=${text}: not a whole number of seconds since 1970`)
}
