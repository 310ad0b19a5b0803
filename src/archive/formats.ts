/**
 * The table of file name extensions: the only place that names them. The longest that matches the end of the name counts.
 * As with libarchive, case matters.
 */
import { FluxError } from '../errors/index.ts'

export type FormatName = 'tar' | 'iso9660'
export type FilterName = 'none' | 'gzip'

/** A format and the filter its bytes go through. */
export interface ArchiveType {
  readonly format: FormatName
  readonly filter: FilterName
}

const EXTENSIONS: Readonly<Record<string, ArchiveType>> = {
  '.tar': { format: 'tar', filter: 'none' },
  '.tgz': { format: 'tar', filter: 'gzip' },
  '.tar.gz': { format: 'tar', filter: 'gzip' },
  '.iso': { format: 'iso9660', filter: 'none' },
}

/** All extensions that an archive can be written by, each with its dot. */
export const ARCHIVE_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS)

/**
 * The type of archive that a file name asks for; `-`, standard output, is an uncompressed tar.
 *
 * @throws {FluxError} `EINVAL` when the extension is not known; the hint lists those that are
 */
export function archiveTypeOf(path: string): ArchiveType {
  if (path === '-') return { format: 'tar', filter: 'none' }
  const matches = ARCHIVE_EXTENSIONS.filter((extension) => path.endsWith(extension))
  const longest = matches.sort((a, b) => b.length - a.length)[0]
  const type = longest === undefined ? undefined : EXTENSIONS[longest]
  if (type !== undefined) return type
  throw new FluxError('EINVAL', `${path}: the name says no known archive format`, {
    hint: `end it in ${ARCHIVE_EXTENSIONS.join(', ')}, or use - for standard output`,
  })
}
