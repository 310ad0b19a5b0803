import { Flags } from '@oclif/core'
import { DEFAULT_SECONDS } from './silence.ts'
import { checkedUri } from './source-choice.ts'

/** The description and parser of a flag that takes a URI. */
export const uriHelp = {
  description:
    'local:///path/of/socket or ssh://[user@]host[:port]/path/of/socket; / is the root instance, .. the parent of the enclosing instance.',
  helpValue: 'URI',
  parse: async (text: string) => checkedUri(text),
}

/**
 * The flag for how long a live instance may be silent.
 *
 * @param helpGroup - the group of the flag that names the instance
 */
export function timeoutFlag(helpGroup: string) {
  return Flags.string({
    summary: `give up when a live instance has sent nothing for DURATION (default: ${DEFAULT_SECONDS}s; inf: never)`,
    description:
      'Every message from the instance starts the time again, so a slow instance is not given up. DURATION is in seconds, or a number with ms, s, m, h or d. Waiting for a change, such as with --watch, has no time limit.',
    helpValue: 'DURATION',
    helpGroup,
  })
}

/** Flags that choose the source: a live instance, a store on disk, or an archive. */
export const sourceFlags = {
  uri: Flags.string({
    ...uriHelp,
    summary: 'read a live instance (default: FLUX_URI, else the system instance)',
    helpGroup: 'SOURCE',
  }),
  timeout: timeoutFlag('SOURCE'),
  store: Flags.string({
    summary: 'read a content store on disk, while its broker is down',
    description: 'PATH is a statedir, a content.sqlite file, or a content.files directory. It is opened read-only.',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
  }),
  archive: Flags.string({
    summary: 'read an archive, as if it had been restored',
    description:
      'FILE is any archive that restore can read; - is standard input. It is read to its end, and copied to a temporary file in TMPDIR. It has one checkpoint: the one that a restore would make.',
    helpValue: 'FILE',
    helpGroup: 'SOURCE',
  }),
  salvage: Flags.boolean({
    summary: 'read what is left of a damaged store or archive',
    description:
      'Of a content.sqlite, the pages are read without SQLite, and those of its journals, also when the file is cut off or partly overwritten. Every blob whose bytes are still in them is there, and every checkpoint: deleted ones too, until SQLite uses their place again. The whole file is read for that. Of an archive, every member that is whole is read. What is lost is printed on stderr, and the exit status is 1. Nothing is written to the store or the archive.',
    helpGroup: 'SOURCE',
  }),
  'cache-dir': Flags.boolean({
    summary: 'keep what was read of an archive for the next command (--no-cache-dir: neither keep it nor use it)',
    description:
      'Archives of 1 MiB or more are kept in XDG_CACHE_HOME/flux-ts/archives (default: ~/.cache), until they change. They take up to 4 GiB, and up to a tenth of the free room; those that were not used for longest go first. The directory can be removed at any time.',
    default: true,
    allowNo: true,
    helpGroup: 'SOURCE',
  }),
  verify: Flags.boolean({
    summary: 'compare every blob with its blobref; --no-verify turns this off',
    default: true,
    allowNo: true,
    helpGroup: 'SOURCE',
  }),
}

/** Flags of commands that read an archive as such. */
export const archiveFlags = {
  salvage: Flags.boolean({
    summary: 'take what is left of a damaged archive: every member that is whole',
    description:
      'Reading goes on at the next whole member of a tar, cpio or zip, and at the next block of bzip2; gzip, xz and zstd are read up to the damage. What is lost is printed on stderr, and the exit status is 1.',
    helpGroup: 'ARCHIVE',
  }),
  'ignore-failed-read': Flags.boolean({
    summary: 'exit with 0 although parts of the archive are lost',
    dependsOn: ['salvage'],
    helpGroup: 'ARCHIVE',
  }),
}

/** Flags for the requests to a live instance. */
export const paceFlags = {
  maxreqs: Flags.integer({
    summary: 'keep at most N requests in flight',
    description: 'By default a dump adapts N to the speed of the instance, and a restore uses 256.',
    helpValue: 'N',
    min: 1,
    helpGroup: 'PACE',
  }),
  'no-cache': Flags.boolean({
    summary: 'bypass the broker content cache, and use only the backing store on rank 0',
    helpGroup: 'PACE',
  }),
  'sd-notify': Flags.boolean({
    summary: 'send progress to systemd through the broker',
    helpGroup: 'PACE',
  }),
}

/** Whether the blobs of a live instance are read from its file. */
export const directFlag = {
  direct: Flags.boolean({
    summary: 'read the file of the backing store where possible (--no-direct: ask the broker for every blob)',
    description:
      'Possible on the host of rank 0, for the user that the broker runs as. Every blob is compared with its blobref, with --no-verify too. The broker is asked for blobs that the file does not have. Not used with --no-cache.',
    allowNo: true,
    helpGroup: 'PACE',
  }),
}

/** Those of {@link paceFlags} that apply to reading, and {@link directFlag}. */
export const loadFlags = { maxreqs: paceFlags.maxreqs, 'no-cache': paceFlags['no-cache'], ...directFlag }

/** Flags that choose the root. */
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
    description: 'A live instance does not need its KVS module for this. With --store it is the default.',
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
