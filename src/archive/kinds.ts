/**
 * Which kinds of archives there are: formats, and the filters that their bytes may go through. Whoever needs to know asks
 * here. Of the extensions, the longest that matches the end of the name counts; as with libarchive, case matters.
 */
import { FluxError } from '../errors/index.ts'
import { FILTERS, type FilterDescriptor } from './filters/index.ts'
import { type DirectoryFormat, type FileFormat, FORMATS, type Format } from './formats/index.ts'

/** Formats that an archive can be written in. A directory is one too. */
export type FormatName = (typeof FORMATS)[number]['name']
export type FilterName = (typeof FILTERS)[number]['name'] | 'none'

/** What an archive that is a file may turn out to be. */
export type ReadableFormat = Extract<(typeof FORMATS)[number], FileFormat>['name']
export type ReadableFilter = Exclude<FilterName, 'none'>

/** A format and the filter its bytes go through, by their names. */
export interface ArchiveType {
  readonly format: FormatName
  readonly filter: FilterName
}

/** What there is to choose from. */
export interface Kinds {
  /** The first is what standard output gets. */
  readonly formats: readonly Format[]
  readonly filters: readonly FilterDescriptor[]
}

/** All that come with this package. */
export const KINDS: Kinds = { formats: FORMATS, filters: FILTERS }

/** A format, and the filter its bytes go through if there is one. */
export interface Kind {
  readonly format: Format
  readonly filter: FilterDescriptor | undefined
}

/** Extensions that are known, and why no archive is written by them. */
const NOT_WRITTEN: ReadonlyMap<string, string> = new Map([
  ['.7z', '7-Zip archives are not supported: no maintained library writes them'],
])

function extensionsOf({ formats, filters }: Kinds): Map<string, Kind> {
  const kinds = new Map<string, Kind>()
  for (const format of formats) {
    if (format.isDirectory) continue
    for (const extension of format.extensions) kinds.set(extension, { format, filter: undefined })
    if (!format.filtered) continue
    for (const filter of filters) {
      const abbreviation = filter.abbreviations?.[format.name]
      if (abbreviation !== undefined) kinds.set(abbreviation, { format, filter })
      for (const extension of format.extensions) kinds.set(extension + filter.extension, { format, filter })
    }
  }
  return kinds
}

/** All extensions that an archive can be written by, each with its dot. */
export const ARCHIVE_EXTENSIONS: readonly string[] = [...extensionsOf(KINDS).keys()]

/** What can be read, by name; and what it may be compressed by. A directory can be read too. */
export const READABLE_FORMATS: readonly string[] = readableFormats(KINDS)
export const READABLE_FILTERS: readonly string[] = FILTERS.map(({ name }) => name)

export function readableFormats({ formats }: Kinds): string[] {
  return formats.filter((format) => !format.isDirectory).map(({ name }) => name)
}

/** As {@link archiveTypeOf}. */
export function kindOf(path: string, extension?: string, kinds: Kinds = KINDS): Kind {
  const extensions = extensionsOf(kinds)
  const names = [...extensions.keys()]
  const known = names.join(', ')
  if (extension !== undefined) {
    const dotted = `.${extension.replace(/^\./, '')}`
    const kind = extensions.get(dotted)
    if (kind !== undefined) return kind
    const why = NOT_WRITTEN.get(dotted)
    if (why !== undefined) throw new FluxError('ENOTSUP', `${extension}: ${why}`)
    throw new FluxError('EINVAL', `${extension}: not a known archive format`, { hint: `known are ${known}` })
  }
  if (path === '-') return { format: kinds.formats[0] as Format, filter: undefined }
  if (path.endsWith('/')) return { format: directoryFormat(kinds), filter: undefined }
  const longest = names.filter((name) => path.endsWith(name)).sort((a, b) => b.length - a.length)[0]
  if (longest !== undefined) return extensions.get(longest) as Kind
  for (const [name, why] of NOT_WRITTEN) {
    if (path.endsWith(name)) throw new FluxError('ENOTSUP', `${path}: ${why}`, { hint: `end it in ${known}` })
  }
  throw new FluxError('EINVAL', `${path}: the name says no known archive format`, {
    hint: `end it in ${known}, in / for a directory, or use - for standard output`,
  })
}

/**
 * The type of archive that a file name asks for. One that ends in a slash is a directory; `-`, standard output, is an
 * uncompressed tar.
 *
 * @param extension - decides in place of the name's own; with or without its dot
 * @throws {FluxError} `EINVAL` when the extension is not known; the hint lists those that are. `ENOTSUP` for one that is
 *   known, but not written
 */
export function archiveTypeOf(path: string, extension?: string): ArchiveType {
  return typeOf(kindOf(path, extension))
}

export function typeOf({ format, filter }: Kind): ArchiveType {
  return { format: format.name as FormatName, filter: (filter?.name ?? 'none') as FilterName }
}

/** The one whose archives are directories. */
export function directoryFormat({ formats }: Kinds): DirectoryFormat {
  return formats.find((format) => format.isDirectory) as DirectoryFormat
}

/**
 * How hard an archive of a type is compressed.
 *
 * @param level - what was asked for; undefined for the usual
 * @returns the level; 0 for what is not compressed
 * @throws {FluxError} `EINVAL` beyond what the type allows
 */
export function compressionLevel(type: ArchiveType, level: number | undefined): number {
  const format = KINDS.formats.find(({ name }) => name === type.format) as Format
  return levelOf({ format, filter: KINDS.filters.find(({ name }) => name === type.filter) }, level)
}

/** As {@link compressionLevel}. */
export function levelOf({ format, filter }: Kind, level: number | undefined): number {
  const levels = filter?.levels ?? (format.isDirectory ? undefined : format.levels)
  if (levels === undefined) {
    if (level === undefined) return 0
    const name = format.isDirectory ? format.name : format.extensions[0].slice(1)
    throw new FluxError('EINVAL', `level ${level}: ${name} is not compressed`)
  }
  const { least, most, usual } = levels
  if (level === undefined) return usual
  if (Number.isInteger(level) && level >= least && level <= most) return level
  throw new FluxError('EINVAL', `level ${level}: ${(filter ?? format).name} has levels ${least} to ${most}`)
}
