import { Flags } from '@oclif/core'
import { DEFAULT_SECONDS } from './silence.ts'
import { checkedUri } from './source-choice.ts'

/** What a URI is, wherever a flag takes one. */
export const uriHelp = {
  description:
    'local:///path/of/socket or ssh://[user@]host[:port]/path/of/socket; / is the root instance, .. the one around the enclosing one.',
  helpValue: 'URI',
  parse: async (text: string) => checkedUri(text),
}

/** How long a live instance may be silent. @param helpGroup - beside the flag that names the instance */
export function timeoutFlag(helpGroup: string) {
  return Flags.string({
    summary: `give up when a live instance has sent nothing for DURATION (default: ${DEFAULT_SECONDS}s; inf: never)`,
    description:
      'Anything that comes counts, so that one that is slow is waited for. Seconds, or a number with ms, s, m, h or d. What waits for a change, as a watch does, waits for ever.',
    helpValue: 'DURATION',
    helpGroup,
  })
}

/** Flags that say what is read: a live instance, a store on disk, or an archive. */
export const sourceFlags = {
  uri: Flags.string({
    ...uriHelp,
    summary: 'read a live instance (default: FLUX_URI, else the system instance)',
    helpGroup: 'SOURCE',
  }),
  timeout: timeoutFlag('SOURCE'),
  store: Flags.string({
    summary: 'read a content store on disk, with its broker down',
    description: 'A statedir, a content.sqlite, or a content.files directory. It is opened read-only.',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
  }),
  archive: Flags.string({
    summary: 'read an archive, as if it had been restored',
    description:
      'Of any kind that restore reads, - being standard input. It is read to its end and spooled to TMPDIR. Its only checkpoint is what a restore would make.',
    helpValue: 'FILE',
    helpGroup: 'SOURCE',
  }),
  verify: Flags.boolean({
    summary: 'compare every blob with its blobref (--no-verify: do not)',
    default: true,
    allowNo: true,
    helpGroup: 'SOURCE',
  }),
}

/** Flags that say how a live instance is asked. */
export const paceFlags = {
  maxreqs: Flags.integer({
    summary: 'keep at most N requests in flight',
    description: 'By default a dump keeps as many as the instance has time for, and a restore 256.',
    helpValue: 'N',
    min: 1,
    helpGroup: 'PACE',
  }),
  'no-cache': Flags.boolean({
    summary: 'bypass the broker content cache: nothing but the backing store on rank 0',
    helpGroup: 'PACE',
  }),
  'sd-notify': Flags.boolean({
    summary: 'tell systemd, by way of the broker, how far things are',
    helpGroup: 'PACE',
  }),
}

/** How blobs of a live instance are read. */
export const directFlag = {
  direct: Flags.boolean({
    summary: "read the backing store's own file where that can be done (--no-direct: ask the broker for every blob)",
    description:
      'It can be on the host of rank 0, by whom the broker runs as. Every blob is compared with its blobref, with --no-verify too, and the broker is asked for what the file does not have. Not with --no-cache.',
    allowNo: true,
    helpGroup: 'PACE',
  }),
}

/** Those that matter for reading alone. */
export const loadFlags = { maxreqs: paceFlags.maxreqs, 'no-cache': paceFlags['no-cache'], ...directFlag }

/** Flags that say which root is meant. */
export const rootFlags = {
  namespace: Flags.string({
    char: 'N',
    summary: 'start from the current root of a namespace (default: FLUX_KVS_NAMESPACE, else primary)',
    helpValue: 'NAME',
    exclusive: ['checkpoint', 'checkpoint-index', 'root'],
    helpGroup: 'SNAPSHOT',
  }),
  checkpoint: Flags.boolean({
    summary: 'start from the newest checkpoint in the backing store',
    description: 'It needs no KVS module in a live instance. For --store it is the default.',
    helpGroup: 'SNAPSHOT',
  }),
  'checkpoint-index': Flags.integer({
    summary: 'start from an older checkpoint; 0 is the newest',
    helpValue: 'N',
    min: 0,
    exclusive: ['root'],
    helpGroup: 'SNAPSHOT',
  }),
  root: Flags.string({
    aliases: ['rootref'],
    summary: 'start from any directory, given by its blobref',
    helpValue: 'BLOBREF',
    exclusive: ['checkpoint', 'checkpoint-index'],
    helpGroup: 'SNAPSHOT',
  }),
}
