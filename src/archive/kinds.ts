/**
 * The kinds of archives: formats, and the filters that compress them. All lookups by name or extension are here. The
 * longest extension that matches the end of a name decides. As with libarchive, case matters.
 */
import { FluxError } from '../errors/index.ts'
import { FILTERS, type FilterDescriptor } from './filters/index.ts'
import { type DirectoryFormat, type FileFormat, FORMATS, type Format } from './formats/index.ts'

/** Formats that can be written, a directory included. */
export type FormatName = (typeof FORMATS)[number]['name']
export type FilterName = (typeof FILTERS)[number]['name'] | 'none'

/** Formats that can be read from a file. */
export type ReadableFormat = Extract<(typeof FORMATS)[number], FileFormat>['name']
export type ReadableFilter = Exclude<FilterName, 'none'>

/** The names of a format and of its filter. */
export interface ArchiveType {
  readonly format: FormatName
  readonly filter: FilterName
}

/** A set of formats and filters. */
export interface Kinds {
  /** The first is the default for standard output. */
  readonly formats: readonly Format[]
  readonly filters: readonly FilterDescriptor[]
}

/** All formats and filters of this package. */
export const KINDS: Kinds = { formats: FORMATS, filters: FILTERS }

/** A format and its filter, if it has one. */
export interface Kind {
  readonly format: Format
  readonly filter: FilterDescriptor | undefined
}

/** Known extensions that cannot be written, and why. */
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

/** All extensions that can be written, each with its dot. */
export const ARCHIVE_EXTENSIONS: readonly string[] = [...extensionsOf(KINDS).keys()]

/** Names of the formats and filters that can be read from a file. A directory can be read too. */
export const READABLE_FORMATS: readonly string[] = readableFormats(KINDS)
export const READABLE_FILTERS: readonly string[] = FILTERS.map(({ name }) => name)

export function readableFormats({ formats }: Kinds): string[] {
  return formats.filter((format) => !format.isDirectory).map(({ name }) => name)
}

/** Like {@link archiveTypeOf}, as descriptors. */
export function kindOf(path: string, extension?: string, kinds: Kinds = KINDS): Kind {
  const extensions = extensionsOf(kinds)
  const names = [...extensions.keys()]
  const known = names.join(', ')
  if (extension !== undefined) {
    const dotted = `.${extension.replace(/^\./, '')}`
    const kind = extensions.get(dotted)
    if (kind !== undefined) return kind
    const hint = `known are ${known}`
    const why = NOT_WRITTEN.get(dotted)
    if (why !== undefined) throw new FluxError('ENOTSUP', `${extension}: ${why}`, { hint })
    throw new FluxError('EINVAL', `${extension}: not a known archive format`, { hint })
  }
  if (path === '-') return { format: kinds.formats[0] as Format, filter: undefined }
  if (path.endsWith('/')) return { format: directoryFormat(kinds), filter: undefined }
  const longest = names.filter((name) => path.endsWith(name)).sort((a, b) => b.length - a.length)[0]
  if (longest !== undefined) return extensions.get(longest) as Kind
  for (const [name, why] of NOT_WRITTEN) {
    if (path.endsWith(name)) throw new FluxError('ENOTSUP', `${path}: ${why}`, { hint: `end it in ${known}` })
  }
  throw new FluxError('EINVAL', `${path}: the name has no known archive extension`, {
    hint: `end it in ${known}, in / for a directory, or use - for standard output`,
  })
}

/**
 * The type of archive that a file name selects. A name that ends in a slash is a directory; `-` is standard output, as
 * an uncompressed tar.
 *
 * @param extension - replaces that of the name; with or without its dot
 * @throws {FluxError} `EINVAL` an unknown extension; the hint lists the known ones. `ENOTSUP` a known one that cannot
 *   be written
 */
export function archiveTypeOf(path: string, extension?: string): ArchiveType {
  return typeOf(kindOf(path, extension))
}

export function typeOf({ format, filter }: Kind): ArchiveType {
  return { format: format.name as FormatName, filter: (filter?.name ?? 'none') as FilterName }
}

/** The format whose archives are directories. */
export function directoryFormat({ formats }: Kinds): DirectoryFormat {
  return formats.find((format) => format.isDirectory) as DirectoryFormat
}

/**
 * The compression level of an archive.
 *
 * @param level - the requested level; undefined for the default
 * @returns the level; 0 for a type without compression
 * @throws {FluxError} `EINVAL` the level is out of range, or the type has no compression
 */
export function compressionLevel(type: ArchiveType, level: number | undefined): number {
  const format = KINDS.formats.find(({ name }) => name === type.format) as Format
  return levelOf({ format, filter: KINDS.filters.find(({ name }) => name === type.filter) }, level)
}

/** Like {@link compressionLevel}, for descriptors. */
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
