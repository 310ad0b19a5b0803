/**
 * What commands tell a host while they run: oclif hooks of our own. A plugin or the tool itself listens by naming a file
 * for the event in `oclif.hooks` of its package.json. They are documented in docs/plugin.md.
 */
import type { Interfaces } from '@oclif/core'
import type { FilterName, FormatName } from '../archive/index.ts'
import type { HashName } from '../content/index.ts'
import type { Snapshot } from '../kvs/index.ts'

/** What `dump --json` prints: see docs/json.md. Sizes are in bytes, times in seconds since 1970. */
export interface DumpSummary {
  /** Path of the archive; `-` is standard output. */
  readonly archive: string
  readonly format: FormatName
  readonly filter: FilterName
  readonly rootref: string
  readonly hash: HashName
  /** Of the checkpoint; null for a root that is none. */
  readonly timestamp: number | null
  /** The same as ISO 8601, UTC. */
  readonly time: string | null
  readonly sequence: number | null
  readonly namespace: string | null
  readonly keyCount: number
  readonly symlinkCount: number
  readonly blobCount: number
  /** Blobs read from the file of a live instance's backing store, directories included; null for any other source. */
  readonly directBlobCount: number | null
  /** Blobs that the broker was asked for, directories included; null when the source is no live instance. */
  readonly brokerBlobCount: number | null
  /** Of all values. */
  readonly valueBytes: number
  /** Of the archive before compression. */
  readonly unpackedBytes: number
  /** Of the file on disk; null when the archive is a directory, a pipe or a device. */
  readonly fileBytes: number | null
  /** Keys and subtrees that could not be read (`--ignore-failed-read`). */
  readonly skippedCount: number
  readonly encodedCount: number
  /** That it took. */
  readonly seconds: number
}

/** What `restore --json` prints: see docs/json.md. */
export interface RestoreSummary {
  /** Path of the archive; `-` is standard input. */
  readonly archive: string
  readonly format: string
  readonly filter: string
  /** In words: `KVS key 'foo'`. */
  readonly target: string
  readonly rootref: string
  readonly hash: HashName
  readonly timestamp: number
  /** The same as ISO 8601, UTC. */
  readonly time: string | null
  readonly keyCount: number
  readonly symlinkCount: number
  readonly blobCount: number
  readonly valueBytes: number
  readonly skippedCount: number
  readonly deselectedCount: number
  readonly seconds: number
}

/** The events, and what each tells. */
export interface FluxEvents {
  /** The root has been found; reading begins. */
  'flux:resolved': { readonly command: string; readonly source: string; readonly snapshot: Snapshot }
  /** What was to be written is complete and on disk: an archive under its name, a checkpoint, a key. */
  'flux:written':
    | { readonly command: 'dump'; readonly summary: DumpSummary }
    | { readonly command: 'restore'; readonly summary: RestoreSummary }
  /** A command failed, or was called wrongly or interrupted; it left nothing half written. `exit` is the exit status. */
  'flux:failed': { readonly command: string; readonly error: Error; readonly exit: number }
}

/** oclif's hooks and ours, for `Hook<'flux:written', FluxHooks>`. */
export type FluxHooks = Interfaces.Hooks & {
  [E in keyof FluxEvents]: { options: FluxEvents[E]; return: unknown }
}

/**
 * The type of a hook for one of our events.
 *
 * It may take its time: `flux:written` is awaited before the command ends. One that throws spoils nothing that was written:
 * a warning is printed, and the exit status is 1.
 */
export type FluxHook<E extends keyof FluxEvents> = Interfaces.Hook<E, FluxHooks>
