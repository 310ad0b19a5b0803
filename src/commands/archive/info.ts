import { Args, Flags } from '@oclif/core'
import {
  archiveFlags,
  complaintFlags,
  EXIT,
  FluxCommand,
  interruptible,
  print,
  timeStyle,
  utcFlag,
} from '../../cli/index.ts'
import type { HashName } from '../../content/index.ts'
import {
  byteText,
  countText,
  grouped,
  isoTime,
  messageLine,
  printable,
  type TimeStyle,
  timeText,
} from '../../errors/index.ts'
import type { ArchiveOrigin } from '../../kvs/index.ts'
import { type ArchiveInfo, type ArchiveReading, archiveInfo } from '../../restore/index.ts'

export default class ArchiveInfoCommand extends FluxCommand {
  static override summary = 'Show what an archive contains, and whether it can be restored'

  static override description =
    `Reads an archive to its end, as a restore would, but writes nothing. Prints its format, its contents, and two roots: the one that it was made of, and the one that a restore would make. They differ, because a restore stores values anew. Two archives that restore to the same root hold the same keys and values. If the archive records which root a restore makes, both are compared, and an archive that differs is refused as damaged.

Problems, such as a name that appears twice, are counted, and printed on stderr: the first ten of each kind, or all with --verbose. Times are local unless --utc is given, and UTC with --json. The exit status is 0 if the archive can be restored. Otherwise it is 1, and the reason is printed.`

  static override examples = [
    {
      description: 'Check the archive of last night',
      command: '<%= config.bin %> <%= command.id %> kvs.tgz',
    },
    {
      description: 'Show the root that it would have in an instance that uses sha256',
      command: '<%= config.bin %> <%= command.id %> --hash sha256 --json kvs.tgz | jq -r .rootref',
    },
  ]

  static override args = {
    file: Args.string({
      name: 'FILE',
      description: 'archive or directory to read; - is standard input',
      required: true,
    }),
  }

  static override flags = {
    hash: Flags.string({
      summary: 'hash algorithm for the root (default: that of the root it was made of, or sha1)',
      helpGroup: 'OUTPUT',
      options: ['sha1', 'sha256'],
    }),
    ...archiveFlags,
    ...utcFlag,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ArchiveInfoCommand)
    return interruptible(async (signal) => {
      const onStart = (reading: ArchiveReading) => this.progress()?.readsArchive(args.file, reading)
      const hash = flags.hash as HashName | undefined
      const info = await archiveInfo(args.file, {
        hash,
        salvage: flags.salvage,
        onWarning: this.complain,
        onStart,
        signal,
      })
      if (info.lost > 0 && !flags['ignore-failed-read']) process.exitCode = EXIT.FAILED
      if (!this.jsonEnabled()) await print(lines(info, timeStyle(flags)))
      return infoJson(info)
    })
  }
}

function infoJson(info: ArchiveInfo): object {
  const { archive, format, filter, fileBytes = null, hash, rootref, origin, isProven } = info
  return {
    archive,
    format,
    filter,
    fileBytes,
    memberCounts: info.members,
    keyCount: info.keys,
    symlinkCount: info.symlinks,
    blobCount: info.blobs,
    valueBytes: info.bytes,
    oldest: isoTime(info.oldest),
    newest: isoTime(info.newest),
    hash,
    rootref,
    recordedRootref: origin?.restored ?? null,
    proven: isProven,
    source: origin
      ? {
          rootref: origin.rootref,
          time: origin.time ?? null,
          namespace: origin.namespace ?? null,
          selection: origin.isSelection,
          skippedCount: origin.skipped,
        }
      : null,
    warningCount: info.warnings,
    lostCount: info.lost,
  }
}

/** The root that an archive was made of, and what it holds of it. */
function originText({ rootref, namespace, isSelection, skipped }: ArchiveOrigin): string {
  const parts = [rootref || 'a root that is not recorded']
  if (namespace !== undefined) parts.push(`namespace ${messageLine(namespace)}`)
  if (isSelection) parts.push('selected keys')
  if (skipped > 0) parts.push(`${countText(skipped, 'part')} left out`)
  return parts.join(', ')
}

function lines(info: ArchiveInfo, style: TimeStyle): string {
  const time = (seconds: number | undefined) => (seconds === undefined ? '' : timeText(seconds, style))
  const {
    archive,
    format,
    filter,
    fileBytes,
    members,
    keys,
    symlinks,
    bytes,
    blobs,
    oldest,
    newest,
    origin,
    isProven,
  } = info
  const facts: [string, string][] = [
    ['archive', printable(archive)],
    ['format', filter === 'none' ? format : `${format}, ${filter}`],
    ['file size', fileBytes === undefined ? '' : byteText(fileBytes)],
    [
      'members',
      Object.entries(members)
        .map(([type, count]) => `${grouped(count)} ${type}`)
        .join(', ') || '0',
    ],
    ['keys', `${grouped(keys)} (${countText(symlinks, 'link')})`],
    ['value size', byteText(bytes)],
    ['blobs', grouped(blobs)],
    ['oldest', time(oldest)],
    ['newest', time(newest)],
    ['made of', origin ? originText(origin) : ''],
    ['restores to', `${info.rootref}${isProven ? ', as recorded' : origin?.restored ? ', not compared' : ''}`],
    ['warnings', grouped(info.warnings)],
    ...(info.lost > 0 ? ([['lost', countText(info.lost, 'part')]] satisfies [string, string][]) : []),
  ]
  return facts.map(([name, text]) => `${`${name}:`.padEnd(13)}${text || '-'}\n`).join('')
}
