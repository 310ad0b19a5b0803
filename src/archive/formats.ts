/**
 * The table of file name extensions: the only place that names them. The longest that matches the end of the name counts.
 * As with libarchive, case matters.
 */
import { FluxError } from '../errors/index.ts'

/** Formats that an archive can be written in. A directory is one too. */
export type FormatName = 'tar' | 'cpio' | 'zip' | 'iso9660' | 'directory'
export type FilterName = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** A format and the filter its bytes go through. */
export interface ArchiveType {
  readonly format: FormatName
  readonly filter: FilterName
}

const EXTENSIONS: Readonly<Record<string, ArchiveType>> = {
  '.tar': { format: 'tar', filter: 'none' },
  '.tgz': { format: 'tar', filter: 'gzip' },
  '.tar.gz': { format: 'tar', filter: 'gzip' },
  '.tbz2': { format: 'tar', filter: 'bzip2' },
  '.tar.bz2': { format: 'tar', filter: 'bzip2' },
  '.txz': { format: 'tar', filter: 'xz' },
  '.tar.xz': { format: 'tar', filter: 'xz' },
  '.tar.zst': { format: 'tar', filter: 'zstd' },
  '.zip': { format: 'zip', filter: 'none' },
  '.jar': { format: 'zip', filter: 'none' },
  '.cpio': { format: 'cpio', filter: 'none' },
  '.iso': { format: 'iso9660', filter: 'none' },
}

const DIRECTORY: ArchiveType = { format: 'directory', filter: 'none' }

/** Extensions that are known, and why no archive is written by them. */
const NOT_SUPPORTED: Readonly<Record<string, string>> = {
  '.7z': '7-Zip archives are not supported: no maintained library writes them',
}

/** All extensions that an archive can be written by, each with its dot. */
export const ARCHIVE_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS)

/**
 * The type of archive that a file name asks for. One that ends in a slash is a directory; `-`, standard output, is an
 * uncompressed tar.
 *
 * @param extension - decides in place of the name's own; with or without its dot
 * @throws {FluxError} `EINVAL` when the extension is not known; the hint lists those that are. `ENOTSUP` for one that is
 *   known, but not written
 */
export function archiveTypeOf(path: string, extension?: string): ArchiveType {
  const known = ARCHIVE_EXTENSIONS.join(', ')
  if (extension !== undefined) {
    const dotted = `.${extension.replace(/^\./, '')}`
    const type = Object.hasOwn(EXTENSIONS, dotted) ? EXTENSIONS[dotted] : undefined
    if (type !== undefined) return type
    if (Object.hasOwn(NOT_SUPPORTED, dotted)) throw new FluxError('ENOTSUP', `${extension}: ${NOT_SUPPORTED[dotted]}`)
    throw new FluxError('EINVAL', `${extension}: not a known archive format`, { hint: `known are ${known}` })
  }
  if (path === '-') return { format: 'tar', filter: 'none' }
  if (path.endsWith('/')) return DIRECTORY
  const matches = ARCHIVE_EXTENSIONS.filter((extension) => path.endsWith(extension))
  const longest = matches.sort((a, b) => b.length - a.length)[0]
  const type = longest === undefined ? undefined : EXTENSIONS[longest]
  if (type !== undefined) return type
  for (const [extension, why] of Object.entries(NOT_SUPPORTED)) {
    if (path.endsWith(extension)) throw new FluxError('ENOTSUP', `${path}: ${why}`, { hint: `end it in ${known}` })
  }
  throw new FluxError('EINVAL', `${path}: the name says no known archive format`, {
    hint: `end it in ${known}, in / for a directory, or use - for standard output`,
  })
}

/** What `level` may be, for what compresses; the default is that of the usual tool. */
const LEVELS: Readonly<Record<string, { least: number; most: number; usual: number }>> = {
  gzip: { least: 1, most: 9, usual: 6 },
  bzip2: { least: 1, most: 9, usual: 9 },
  xz: { least: 0, most: 9, usual: 6 },
  zstd: { least: 1, most: 19, usual: 3 },
  zip: { least: 1, most: 9, usual: 6 },
}

/**
 * How hard an archive of a type is compressed.
 *
 * @param level - what was asked for; undefined for the usual
 * @returns the level; 0 for what is not compressed
 * @throws {FluxError} `EINVAL` beyond what the type allows
 */
export function compressionLevel({ format, filter }: ArchiveType, level: number | undefined): number {
  const name = filter === 'none' ? format : filter
  const range = LEVELS[name]
  if (range === undefined) {
    if (level === undefined) return 0
    throw new FluxError('EINVAL', `level ${level}: ${name === 'iso9660' ? 'iso' : name} is not compressed`)
  }
  const { least, most, usual } = range
  if (level === undefined) return usual
  if (Number.isInteger(level) && level >= least && level <= most) return level
  throw new FluxError('EINVAL', `level ${level}: ${name} has levels ${least} to ${most}`)
}
