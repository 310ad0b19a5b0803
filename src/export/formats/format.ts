/** The types of an export format: its descriptor, and its writer. */
import type { ExportJob } from '../export-job.ts'
import type { ExportCounts } from '../merge.ts'

/** Where an export goes, and what is in it. */
export interface ExportTarget {
  /** The path as the user gave it. */
  readonly path: string
  /** True to add to what is there. Only a format that `appends` gets it. */
  readonly append: boolean
  /** The name of the instance; undefined if none was given. */
  readonly cluster: string | undefined
  /** True when records are exported whole. */
  readonly hasRecords: (name: 'jobspec' | 'R' | 'eventlog') => boolean
}

/**
 * Writes the jobs of an export. Nothing of it is seen under the final name before {@link commit}; a format that keeps
 * several files says so.
 */
export interface JobsWriter {
  /** The name of the instance that the jobs get. */
  readonly cluster: string
  /** Take jobs. @throws {FluxError} `EEXIST` the file has another job of the same id; errors of the file system */
  add(jobs: readonly ExportJob[]): void | Promise<void>
  /**
   * Finish.
   *
   * @param signal - a new file does not get its name when this was aborted before
   * @throws {FluxError} of the file system, or `EINTR`; then the old file is as it was
   */
  commit(signal?: AbortSignal): Promise<ExportCounts>
  /** Undo what was not committed. May be called at any time; never throws. */
  abort(): void
}

/** A format of exports. */
export interface ExportFormat<Name extends string = string> {
  readonly name: Name
  /** Its file name extensions, each with its dot. */
  readonly extensions: readonly [string, ...string[]]
  /** True when jobs can be added to an export that is there. */
  readonly appends: boolean
  /** Makes the text of jobs, for a format that is text. It goes to a file or to standard output. */
  text?(): Promise<{ textOf(target: Pick<ExportTarget, 'hasRecords'>): JobsText }>
  /** Writes to a file, for a format that is not text. */
  write?(): Promise<{ openWriter(target: ExportTarget): JobsWriter | Promise<JobsWriter> }>
}

/** The text of jobs in a format. */
export interface JobsText {
  /** What comes before all jobs. */
  readonly head: string
  lineOf(job: ExportJob): string
}
