/**
 * Events that commands send to a host while they run, as custom oclif hooks. A plugin or tool listens to an event by
 * naming a file for it in `oclif.hooks` of its package.json. See docs/plugin.md.
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
  /** The root that a restore makes, as it is recorded in the archive; null when it is not recorded. */
  readonly recordedRootref: string | null
  readonly hash: HashName
  /** The time of the checkpoint; null when the root is not a checkpoint. */
  readonly timestamp: number | null
  /** `timestamp` in ISO 8601, UTC. */
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
  /** The sum of all values. */
  readonly valueBytes: number
  /** The archive before compression. */
  readonly unpackedBytes: number
  /** The file on disk; null when the archive is a directory, a pipe or a device. */
  readonly fileBytes: number | null
  /** Keys and subtrees that could not be read (`--ignore-failed-read`). */
  readonly skippedCount: number
  /** The directories among them. It is not known how many keys are below them. */
  readonly skippedDirectoryCount: number
  readonly encodedCount: number
  /** Duration of the command. */
  readonly seconds: number
}

/** What `restore --json` prints: see docs/json.md. */
export interface RestoreSummary {
  /** Path of the archive; `-` is standard input. */
  readonly archive: string
  readonly format: string
  readonly filter: string
  /** Where it was restored to, in words: `KVS key 'foo'`. */
  readonly target: string
  readonly rootref: string
  /** True when `rootref` is the root that the archive records. False when none is recorded, or they cannot be compared. */
  readonly proven: boolean
  readonly hash: HashName
  readonly timestamp: number
  /** `timestamp` in ISO 8601, UTC. */
  readonly time: string | null
  readonly keyCount: number
  readonly symlinkCount: number
  readonly blobCount: number
  readonly valueBytes: number
  readonly skippedCount: number
  readonly deselectedCount: number
  /** Damaged parts of the archive that were left out (`--salvage`). */
  readonly lostCount: number
  readonly seconds: number
}

/** The events and their payloads. */
export interface FluxEvents {
  /** The root has been found, and reading begins. */
  'flux:resolved': { readonly command: string; readonly source: string; readonly snapshot: Snapshot }
  /** The result is complete and on disk: an archive under its name, a checkpoint, or a key. */
  'flux:written':
    | { readonly command: 'dump'; readonly summary: DumpSummary }
    | { readonly command: 'restore'; readonly summary: RestoreSummary }
  /** A command failed, was called wrongly, or was interrupted; no partial result is left. `exit` is the exit status. */
  'flux:failed': { readonly command: string; readonly error: Error; readonly exit: number }
}

/** The hooks of oclif and of this package, for `Hook<'flux:written', FluxHooks>`. */
export type FluxHooks = Interfaces.Hooks & {
  [E in keyof FluxEvents]: { options: FluxEvents[E]; return: unknown }
}

/**
 * The type of a hook for one of these events.
 *
 * The command waits until the hook has finished. If a hook throws, the command prints a warning and exits with 1; the
 * written result stays.
 */
export type FluxHook<E extends keyof FluxEvents> = Interfaces.Hook<E, FluxHooks>
