/** Writes jobs as text, to a file that gets its name when it is complete, or to standard output. */
import { writeSync } from 'node:fs'
import { writeError } from '../errors/index.ts'
import { PartFile } from '../files/index.ts'
import type { ExportJob } from './export-job.ts'
import type { JobsText, JobsWriter } from './formats/index.ts'
import type { ExportCounts } from './merge.ts'
import { publishNew } from './publish.ts'

/** Writes text to standard output, and waits until it is written. */
export type Print = (text: string) => Promise<void>

/** Text is written in pieces of about this many characters. */
const PIECE = 1 << 16

export class TextWriter implements JobsWriter {
  readonly cluster: string
  readonly #path: string
  readonly #text: JobsText
  readonly #part: PartFile | undefined
  readonly #print: Print | undefined
  #piece: string
  #added = 0

  /**
   * @param print - writes to standard output, instead of to the file
   * @throws {FluxError} of the file system
   */
  constructor(path: string, cluster: string, text: JobsText, print?: Print) {
    this.cluster = cluster
    this.#path = path
    this.#text = text
    this.#print = print
    this.#piece = text.head
    this.#part = print === undefined ? this.#try(() => new PartFile(path, 'file')) : undefined
  }

  async add(jobs: readonly ExportJob[]): Promise<void> {
    for (const job of jobs) {
      this.#piece += this.#text.lineOf(job)
      if (this.#piece.length >= PIECE) await this.#flush()
    }
    this.#added += jobs.length
  }

  async #flush(): Promise<void> {
    const piece = this.#piece
    this.#piece = ''
    const { fd } = this.#part ?? {}
    if (fd === undefined) return this.#print?.(piece)
    this.#try(() => {
      const bytes = Buffer.from(piece)
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    })
  }

  async commit(signal?: AbortSignal): Promise<ExportCounts> {
    await this.#flush()
    if (this.#part !== undefined) await publishNew(this.#part, this.#path, signal)
    return { added: this.#added, completed: 0, unchanged: 0 }
  }

  abort(): void {
    this.#part?.remove()
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw writeError(error, this.#path)
    }
  }
}
