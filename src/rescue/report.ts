/** What a rescue tells: what was used, what is lost, what to do next. */
import type { DamageKind, DrainedNode } from '../inspect/index.ts'

/** The root that a rescue chose. */
export interface ChosenRoot {
  readonly rootref: string
  /** Index of its checkpoint, 0 for the newest; undefined for a root that no checkpoint names. */
  readonly checkpointIndex: number | undefined
  /** Seconds since 1970; undefined for a root that no checkpoint names. */
  readonly timestamp: number | undefined
  /** True when everything below it was there. */
  readonly isWhole: boolean
  /** True when the pages of the database were read without SQLite. */
  readonly isSalvaged: boolean
}

/** A key that could not be kept as it was. */
export interface LostKey {
  /** `.` for the root. */
  readonly key: string
  readonly kind: DamageKind
  /**
   * `moved`: what is left of it is below `lost+found`; `unlinked`: a directory that is gone with all below it; `none`: it
   * is still there, damaged.
   */
  readonly remedy: 'moved' | 'unlinked' | 'none'
}

/** A job, as far as its records tell. */
export interface RescuedJob {
  readonly id: bigint
  readonly userid: number | undefined
  readonly name: string | undefined
  readonly state: string
  /** What is wrong with its records; empty for a job that is whole. */
  readonly problems: readonly string[]
}

/** The result of a rescue. */
export interface RescueReport {
  /** The store that was rescued. */
  readonly store: string
  /** The directory with the results. */
  readonly out: string
  /** When, in seconds since 1970. */
  readonly time: number
  /** Each step, in a line. */
  readonly steps: readonly string[]
  readonly chosen: ChosenRoot
  /** The checkpoint of the new store. */
  readonly written: { readonly rootref: string; readonly sequence: number; readonly timestamp: number }
  /** Keys, bytes of values, and blobs in the new store. */
  readonly keys: number
  readonly blobs: number
  /** The keys that could not be kept as they were: the first 10,000. */
  readonly lostKeys: readonly LostKey[]
  /** How many there are in all. */
  readonly lostKeyCount: number
  /** How many of them are directories: the keys below them are unknown. */
  readonly lostDirCount: number
  /** Jobs in the chosen root. */
  readonly jobs: number
  /** Jobs whose records are damaged, newest first. */
  readonly lostJobs: readonly RescuedJob[]
  /** Jobs that were running or pending, newest first. */
  readonly activeJobs: readonly RescuedJob[]
  /** Directories that may have held further jobs. */
  readonly lostJobDirs: readonly string[]
  readonly drained: readonly DrainedNode[]
  /** The highest job id in any root that was found; undefined when there is no job. */
  readonly highestJobid: bigint | undefined
  /** True when `checkpoint.job-manager` named a lower one and was put right. */
  readonly isJobidRaised: boolean
  /** A newer root than the chosen one, if there is one. */
  readonly newer: { readonly rootref: string; readonly time: number | undefined; readonly jobs: number } | undefined
  /** Records that could not be understood, and why there is no archive. */
  readonly problems: readonly string[]
  /** Where the old store is now; undefined unless the new one was installed. */
  readonly replaced: string | undefined
  /** The commands that come next. */
  readonly next: readonly string[]
}
