/**
 * An export of jobs: a file that other programs can read, and that keeps what Flux forgets.
 *
 * ```ts
 * await using exporting = await Export.open({ path: 'history.sqlite', append: true })
 * for await (const batch of jobs(snapshot, { keepRecords: true })) await exporting.add(batch)
 * const { added } = await exporting.commit()
 * ```
 */
import { existsSync, lstatSync } from 'node:fs'
import { FluxError, writeError } from '../errors/index.ts'
import { followLinks } from '../files/index.ts'
import type { Job, JobRecords } from '../inspect/index.ts'
import { withoutEnvironment } from './environment.ts'
import { EXPORT_FORMATS, type ExportFormat, type JobsWriter } from './formats/index.ts'
import type { ExportCounts } from './merge.ts'
import { type Print, TextWriter } from './text-writer.ts'

/** Options of {@link Export.open}. */
export interface ExportOptions {
  /** Its extension selects the format; `-` is standard output, with `format` and `print`. */
  path: string
  /** The name of a format, instead of that of the extension. */
  format?: string | undefined
  /** Add jobs to what is there, and complete those that had not ended. Without a file, begin one. */
  append?: boolean | undefined
  /** A name for the instance: job ids are unique within one only. */
  cluster?: string | undefined
  /** The records to export whole. */
  whole?: Iterable<keyof JobRecords> | undefined
  /** Leave the environment in the records. It may hold secrets. */
  withEnvironment?: boolean | undefined
  /** The name of a user. */
  usernameOf?: ((userid: number) => string | undefined) | undefined
  /** Writes to standard output. */
  print?: Print | undefined
}

/** The names of the formats. */
export const EXPORT_FORMAT_NAMES = EXPORT_FORMATS.map(({ name }) => name)

const CLUSTER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

export class Export implements AsyncDisposable {
  readonly #writer: JobsWriter
  readonly #options: ExportOptions
  readonly #whole: ReadonlySet<keyof JobRecords>

  private constructor(writer: JobsWriter, options: ExportOptions) {
    this.#writer = writer
    this.#options = options
    this.#whole = new Set(options.whole)
  }

  /**
   * Begin an export, or open one to add to it.
   *
   * @throws {FluxError} `EINVAL` an unknown extension, a format that cannot do what is asked, or a name that is no name
   *   of a cluster; `EEXIST` there is such a file, and `append` is not set; else the errno of the file system
   */
  static async open(options: ExportOptions): Promise<Export> {
    const format = checkedFormat(options)
    const writer = await writerOf(format, options)
    return new Export(writer, options)
  }

  /** Take jobs that {@link jobs} has given, with their records. @throws {FluxError} of the file system, and `EEXIST` */
  async add(jobs: readonly Job[]): Promise<void> {
    const { usernameOf, withEnvironment = false } = this.#options
    const { cluster } = this.#writer
    const whole = this.#whole
    await this.#writer.add(
      jobs.map((job) => {
        const records = job.records ?? {}
        return {
          job,
          cluster,
          username: job.userid === undefined ? undefined : usernameOf?.(job.userid),
          records: withEnvironment ? records : withoutEnvironment(records, whole),
          whole,
        }
      }),
    )
  }

  /**
   * Finish. Until then the old file is as it was.
   *
   * @param signal - a new file does not get its name when this was aborted before
   * @throws {FluxError} of the file system; `EINTR`
   */
  commit(signal?: AbortSignal): Promise<ExportCounts> {
    return this.#writer.commit(signal)
  }

  /** Undo what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.abort()
  }
}

/**
 * The format that options select.
 *
 * @throws {FluxError} `EINVAL` an unknown extension, a format that cannot do what is asked, or a name that is no name of
 *   a cluster
 */
export function checkedFormat({ path, format: name, append = false, cluster }: ExportOptions): ExportFormat {
  const format = formatOf(path, name)
  if (append && !format.appends)
    throw new FluxError('EINVAL', `${path}: jobs cannot be added to ${format.name}`, ADDING)
  if (cluster !== undefined && !CLUSTER.test(cluster)) {
    throw new FluxError('EINVAL', `${cluster}: not the name of a cluster`, {
      hint: 'use up to 64 letters, digits, hyphens, dots and underscores',
    })
  }
  if (path === '-' && format.text === undefined) {
    throw new FluxError('EINVAL', `${format.name} cannot be written to standard output`, { hint: 'name a file' })
  }
  return format
}

const ADDING = { hint: `jobs can be added to ${nameList(EXPORT_FORMATS.filter(({ appends }) => appends))}` }

function nameList(formats: readonly ExportFormat[]): string {
  return formats.map(({ name }) => name).join(' and ')
}

function formatOf(path: string, name: string | undefined): ExportFormat {
  const formats: readonly ExportFormat[] = EXPORT_FORMATS
  const lower = path.toLowerCase().replace(/\/+$/, '')
  const format =
    name === undefined
      ? formats.find(({ extensions }) => extensions.some((extension) => lower.endsWith(extension)))
      : formats.find((each) => each.name === name)
  if (format !== undefined) return format
  const extensions = formats.flatMap((each) => each.extensions).join(', ')
  throw new FluxError('EINVAL', `${name ?? path}: unknown format`, {
    hint: `the name must end in ${extensions}, or give --format`,
  })
}

function noPrint(): never {
  throw new FluxError('EINVAL', 'the export has no standard output')
}

/** @throws {FluxError} `EACCES` another user has put it where everybody may write; errors of the file system */
async function assertNotPlanted(path: string): Promise<void> {
  try {
    await followLinks(path)
  } catch (error) {
    throw writeError(error, path)
  }
}

async function writerOf(format: ExportFormat, options: ExportOptions): Promise<JobsWriter> {
  const { path, append = false, cluster, print } = options
  const whole = new Set(options.whole)
  const hasRecords = (name: keyof JobRecords) => whole.has(name)
  const isStdout = path === '-'
  const isThere = !isStdout && existsSync(path)
  // Otherwise it would be found out when all is written.
  if (!isStdout && !isThere && lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new FluxError('EEXIST', `cannot write ${path}: a link to a file that does not exist`, {
      hint: 'remove the link, or make the file with its own name',
    })
  }
  if (isThere && !append) {
    throw new FluxError('EEXIST', `cannot write ${path}: File exists`, {
      hint: format.appends ? 'add to it with --append, or remove it first' : 'remove it first, or choose another name',
    })
  }
  if (!isStdout) await assertNotPlanted(path)
  if (format.text !== undefined) {
    const { textOf } = await format.text()
    return new TextWriter(path, cluster ?? '', textOf({ hasRecords }), isStdout ? (print ?? noPrint) : undefined)
  }
  if (format.write === undefined) throw new Error(`${format.name} has no writer`)
  const { openWriter } = await format.write()
  return openWriter({ path, append, cluster, hasRecords })
}
