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
import { byteText, countText, grouped, isoTime, printable, type TimeStyle, timeText } from '../../errors/index.ts'
import { type ArchiveInfo, type ArchiveReading, archiveInfo } from '../../restore/index.ts'

export default class ArchiveInfoCommand extends FluxCommand {
  static override summary = 'Show what an archive contains, and whether it can be restored'

  static override description =
    `Reads an archive to its end, as a restore would, but writes nothing. Prints its format, its contents, and the root that a restore would make. Two archives with the same root hold the same keys and values.

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
      summary: 'hash algorithm for the root',
      helpGroup: 'OUTPUT',
      options: ['sha1', 'sha256'],
      default: 'sha1',
    }),
    ...archiveFlags,
    ...utcFlag,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ArchiveInfoCommand)
    return interruptible(async (signal) => {
      const onStart = (reading: ArchiveReading) => this.progress()?.readsArchive(args.file, reading)
      const hash = flags.hash as HashName
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
  const { archive, format, filter, fileBytes = null, hash, rootref } = info
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
    warningCount: info.warnings,
    lostCount: info.lost,
  }
}

function lines(info: ArchiveInfo, style: TimeStyle): string {
  const time = (seconds: number | undefined) => (seconds === undefined ? '' : timeText(seconds, style))
  const { archive, format, filter, fileBytes, members, keys, symlinks, bytes, blobs, oldest, newest } = info
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
    ['rootref', info.rootref],
    ['warnings', grouped(info.warnings)],
    ...(info.lost > 0 ? ([['lost', countText(info.lost, 'part')]] satisfies [string, string][]) : []),
  ]
  return facts.map(([name, text]) => `${`${name}:`.padEnd(13)}${text || '-'}\n`).join('')
}
