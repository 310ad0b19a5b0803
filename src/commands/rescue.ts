import { Flags } from '@oclif/core'
import { complaintFlags, FluxCommand, interruptible, Output, UsageError, Users } from '../cli/index.ts'
import { isBlobref } from '../content/index.ts'
import { reportJson, reportLines, rescue } from '../rescue/index.ts'

export default class Rescue extends FluxCommand {
  static override summary = 'Rescue what is left of a content store, into a new one'

  static override description =
    `Finds the best root that is left in a content store whose instance is down: the newest checkpoint with everything below it, or, if the broker was killed, a later root that no checkpoint names; else the newest root with everything below it; else the newest root that can be read at all. A newer root that is damaged goes before a whole one if it keeps more keys. As soon as anything is missing, the pages of the database are read without SQLite, as --salvage does. Each step is told on stderr.

DIR then holds a fresh content.sqlite that an instance can be started from, the same as an archive (kvs.tgz), and a report (report.txt, report.json): what was used, what is lost, damaged jobs, jobs that had not ended, drained nodes, and the commands that come next. The report is printed on standard output too.

What is damaged below the chosen root is handled as fsck --repair --job-aware --drop-damaged does: what is left of a damaged value or job is moved to lost+found. If any root knows a higher job id than the chosen one, checkpoint.job-manager is put right, so that the instance gives no id twice.

PATH is only read. With --install the new store takes its place, if no process holds it, and the old one stays beside it as content.sqlite.before-rescue. The exit status is 0 when a store was written, even if something is lost.`

  static override examples = [
    {
      description: 'Rescue the store of an instance that does not start',
      command: '<%= config.bin %> <%= command.id %> --store examples/statedir --out rescued',
    },
    {
      description: 'Rescue it, and put the new store in the place of the old one',
      command:
        'cp -r examples/statedir state; <%= config.bin %> <%= command.id %> --install --store state --out rescued-state',
    },
  ]

  static override flags = {
    store: Flags.string({
      summary: 'the content store to rescue, while its broker is down',
      description: 'PATH is a statedir, a content.sqlite file in any state, or a content.files directory.',
      helpValue: 'PATH',
      required: true,
      helpGroup: 'SOURCE',
    }),
    root: Flags.string({
      summary: 'take this root, whatever is wrong below it',
      helpValue: 'BLOBREF',
      helpGroup: 'SOURCE',
    }),
    out: Flags.string({
      summary: 'the directory for the results: it is made, or must be empty',
      helpValue: 'DIR',
      required: true,
      helpGroup: 'OUTPUT',
    }),
    install: Flags.boolean({
      summary: 'put the new store in the place of the old one, which is kept under another name',
      helpGroup: 'OUTPUT',
    }),
    quiet: Flags.boolean({ char: 'q', summary: 'do not tell the steps, and print no report', helpGroup: 'OUTPUT' }),
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { flags } = await this.parse(Rescue)
    const { quiet, root } = flags
    if (root !== undefined && !isBlobref(root)) {
      throw new UsageError(`--root ${root}: not a blobref`, 'it looks like sha1- and 40 lower-case hex digits')
    }
    const users = new Users()
    const username = (userid: number) => users.nameOf(userid)
    const progress = this.progress({ quiet })
    const report = await interruptible((signal) =>
      rescue({
        ...flags,
        username,
        onStep: quiet || this.jsonEnabled() ? undefined : (line) => this.notice(line),
        onWarning: this.complain,
        onStore: (store) => progress?.readsStore(store),
        signal,
      }),
    )
    progress?.end()
    if (!quiet && !this.jsonEnabled()) {
      await new Output().write(
        reportLines(report, username)
          .map((line) => `${line}\n`)
          .join(''),
      )
    }
    return reportJson(report, username)
  }
}
