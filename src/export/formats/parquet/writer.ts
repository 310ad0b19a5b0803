/** Writes jobs to one Parquet file, or, to add to them later, to a directory of one file for each day. */
import { writeError } from '../../../errors/index.ts'
import { PartFile } from '../../../files/index.ts'
import type { ExportJob } from '../../export-job.ts'
import type { ExportCounts } from '../../merge.ts'
import { publishNew } from '../../publish.ts'
import type { ExportTarget, JobsWriter } from '../format.ts'
import { openDays } from './days-writer.ts'
import { ParquetFileWriter } from './file-writer.ts'
import { rowOf } from './schema.ts'

/** @throws {FluxError} `EEXIST` there is such a file, and `append` is not set; see also {@link openDays} */
export async function openWriter(target: ExportTarget): Promise<JobsWriter> {
  return target.append ? openDays(target) : new SingleFile(target)
}

class SingleFile implements JobsWriter {
  readonly cluster: string
  readonly #path: string
  readonly #part: PartFile
  readonly #writer: ParquetFileWriter
  #added = 0

  constructor({ path, cluster }: ExportTarget) {
    this.cluster = cluster ?? ''
    this.#path = path
    this.#part = this.#try(() => new PartFile(path, 'file'))
    this.#writer = new ParquetFileWriter(this.#part.fd)
  }

  add(jobs: readonly ExportJob[]): void {
    this.#try(() => {
      for (const job of jobs) this.#writer.add(rowOf(job))
    })
    this.#added += jobs.length
  }

  async commit(signal?: AbortSignal): Promise<ExportCounts> {
    this.#try(() => this.#writer.finish())
    await publishNew(this.#part, this.#path, signal)
    return { added: this.#added, completed: 0, unchanged: 0 }
  }

  abort(): void {
    this.#part.remove()
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw writeError(error, this.#path)
    }
  }
}
