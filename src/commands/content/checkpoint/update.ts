import { Args, Flags } from '@oclif/core'
import {
  complaintFlags,
  FluxCommand,
  interruptible,
  openRepairTarget,
  openSource,
  paceFlags,
  targetFlags,
} from '../../../cli/index.ts'
import { isBlobref } from '../../../content/index.ts'
import { FluxError, isoTime, printable } from '../../../errors/index.ts'
import { nextCheckpoint } from '../../../inspect/index.ts'

export default class ContentCheckpointUpdate extends FluxCommand {
  static override summary = 'Make a root the newest checkpoint'

  static override description =
    `Writes a checkpoint that names the root BLOBREF. The KVS starts from it the next time it is loaded. Existing checkpoints stay, but a content.files directory holds only one. The sequence number of the new checkpoint is one higher than that of any other.

First everything below the root is read. A root is refused if something below it is missing or damaged, or if it does not look like a root of the primary namespace; --force takes it all the same.

In a live instance the KVS module must not be loaded. A store on disk must not be in use.`

  static override examples = [
    {
      description: 'Make an older root of a store the newest checkpoint, in a copy of the store',
      command:
        'cp -r examples/statedir copy && <%= config.bin %> <%= command.id %> --store copy sha1-e7c8edbbde7a0cbf56ea1ce5987e037e3d6efe82',
    },
  ]

  static override args = {
    blobref: Args.string({ name: 'BLOBREF', description: 'the blobref of a root', required: true }),
  }

  static override flags = {
    uri: targetFlags.uri,
    timeout: targetFlags.timeout,
    store: Flags.string({
      summary: 'update a content store on disk, while its broker is down',
      description: 'PATH is a statedir, a content.sqlite file, or a content.files directory.',
      helpValue: 'PATH',
      helpGroup: 'TARGET',
    }),
    force: Flags.boolean({
      char: 'f',
      summary: 'take a root that is not whole, or does not look like a root of the primary namespace',
      helpGroup: 'TARGET',
    }),
    maxreqs: paceFlags.maxreqs,
    ...complaintFlags,
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(ContentCheckpointUpdate)
    const rootref = args.blobref
    if (!isBlobref(rootref)) {
      throw new FluxError('EINVAL', `invalid blobref specified: Invalid argument (${printable(rootref)})`)
    }
    const { store: path, maxreqs, force } = flags
    return interruptible(async (signal) => {
      const choice = { ...flags, signal, onWarning: this.complain }
      await using target = await openRepairTarget({
        ...choice,
        kvsMessage: 'please unload kvs module before updating checkpoint',
      })
      // A live instance is read past its caches, as fsck does: the checkpoint names what the backing store holds.
      const live = path === undefined ? { 'no-cache': true } : {}
      const progress = this.progress({ isWhole: false })
      await using store = await openSource({ ...choice, maxreqs, verify: true, ...live, progress })
      const { checkpoint, isNew } = await nextCheckpoint(store, rootref, Date.now() / 1000, { force, signal })
      const { sequence, timestamp } = checkpoint
      const { name } = store
      if (isNew) {
        const writer = await target.writer(store)
        await writer.commit(checkpoint, 'checkpoint update failed')
        this.notice(`${name}: the newest checkpoint is now ${rootref}, sequence ${sequence}`)
      } else {
        this.notice(`${name}: ${rootref} is the newest checkpoint already`)
      }
      return { rootref, isUpdated: isNew, sequence, timestamp, time: isoTime(timestamp) }
    })
  }
}
