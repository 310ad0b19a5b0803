import { Flags } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { jobKey, parseJobid } from '../kvs/index.ts'
import { UsageError } from './usage-error.ts'

const GLOB = { helpValue: 'GLOB', multiple: true, multipleNonGreedy: true, helpGroup: 'SELECTION' } as const

/**
 * Flags that select by globs.
 *
 * @param verb - what is done with what they select
 */
export function globFlags(verb: string) {
  return {
    include: Flags.string({
      summary: `${verb} only what matches, and what is below it; may be given several times`,
      ...GLOB,
    }),
    exclude: Flags.string({
      summary: 'leave out what matches, and what is below it; may be given several times',
      ...GLOB,
    }),
  }
}

/** A job id as a person gives it. @throws {UsageError} it is none */
export function jobidArgument(text: string): bigint {
  try {
    return parseJobid(text)
  } catch (error) {
    throw error instanceof FluxError ? new UsageError(error.message, error.hint) : error
  }
}

/** The keys of jobs, in any form of their ids. @throws {UsageError} one is no job id */
export function jobKeys(ids: readonly string[]): string[] {
  return ids.map((id) => jobKey(jobidArgument(id)))
}
