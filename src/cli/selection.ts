import { Flags } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { jobKey, MAX_DEPTH, MAX_KEYS, parseJobid } from '../kvs/index.ts'
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

/** Flags that say how much is gone through before it is taken for a mistake, or for an attack. */
export const limitFlags = {
  'max-keys': Flags.integer({
    summary: `give up beyond N values, links and directories (default: ${MAX_KEYS})`,
    description:
      'Directories may be referred to from many places, so a small store may have more keys than can ever be read.',
    helpValue: 'N',
    min: 1,
    helpGroup: 'SELECTION',
  }),
  'max-depth': Flags.integer({
    summary: `give up when directories are more than N deep (default: ${MAX_DEPTH})`,
    helpValue: 'N',
    min: 1,
    helpGroup: 'SELECTION',
  }),
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
