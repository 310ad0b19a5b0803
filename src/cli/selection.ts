import { Flags } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { jobKey, MAX_DEPTH, MAX_KEYS, MAX_SHARED_KEYS, parseJobid } from '../kvs/index.ts'
import { UsageError } from './usage-error.ts'

const GLOB = { helpValue: 'GLOB', multiple: true, multipleNonGreedy: true, helpGroup: 'SELECTION' } as const

/**
 * Flags that select keys by globs.
 *
 * @param verb - what the command does with the selected keys, for help
 */
export function globFlags(verb: string) {
  return {
    include: Flags.string({
      summary: `${verb} only keys that match, and all keys below them; may be given several times`,
      ...GLOB,
    }),
    exclude: Flags.string({
      summary: 'leave out keys that match, and all keys below them; may be given several times',
      ...GLOB,
    }),
  }
}

/** Flags that limit the size of a tree. A larger one is taken for a mistake or an attack. */
export const limitFlags = {
  'max-keys': Flags.integer({
    summary: `give up beyond N values, links and directories (default: ${MAX_KEYS})`,
    description:
      'Many keys may refer to one directory, so a small store may have more keys than can ever be read. ' +
      `Where each directory is referred to a hundred times, the default is ${MAX_SHARED_KEYS}.`,
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

/** Parse a job id, in any form. @throws {UsageError} the text is not a job id */
export function jobidArgument(text: string): bigint {
  try {
    return parseJobid(text)
  } catch (error) {
    throw error instanceof FluxError ? new UsageError(error.message, error.hint) : error
  }
}

/** The keys of jobs. @param ids - in any form @throws {UsageError} a text is not a job id */
export function jobKeys(ids: readonly string[]): string[] {
  return ids.map((id) => jobKey(jobidArgument(id)))
}
