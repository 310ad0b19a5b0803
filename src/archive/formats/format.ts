/** The types of an archive format: its descriptor, and its writer and reader. */
import type { ArchiveWriter } from '../archive-writer.ts'
import type { Levels, Magic } from '../descriptor.ts'
import type { Filter } from '../filters/index.ts'
import type { ExtraRecords, MemberAttributes } from '../format-encoder.ts'
import type { Input } from '../input.ts'
import type { ArchiveType } from '../kinds.ts'
import type { Reading } from '../member.ts'
import type { Sink } from '../sink.ts'
import type { Source } from '../source.ts'
import type { Batches } from './batch.ts'

/** What every writer needs. */
interface Target {
  readonly type: ArchiveType
  readonly attributes: MemberAttributes
  /** Records of the archive as a whole: see {@link CreateArchiveOptions.records}. */
  readonly records: ExtraRecords | undefined
  /** Compression level; 0 for a format without compression. */
  readonly level: number
  /** Number of threads that compress. The bytes do not depend on it. */
  readonly threads: number
  readonly signal: AbortSignal | undefined
}

/** The destination of an archive that is one file. */
export interface FileTarget extends Target {
  /** The writer commits or aborts it. */
  readonly sink: Sink
  /** Compresses into the sink. Only a `filtered` format can have one. */
  readonly filter: Filter | undefined
  /** True when the sink is standard output. */
  readonly isStdout: boolean
  /** A directory with room for temporary files. */
  readonly spoolDirectory: string
}

/** The destination of an archive that is a directory. */
export interface DirectoryTarget extends Target {
  /** The path as the user gave it. */
  readonly path: string
  /** Permission bits of the files; undefined for access by the owner only. */
  readonly fileMode: number | undefined
  /** See {@link CreateArchiveOptions.beforeNaming}. */
  readonly beforeNaming: ((path: string) => Promise<void>) | undefined
}

/** The source of an archive that is one file. */
export interface FileOrigin {
  /** The uncompressed bytes, in order. A `seekable` format does not use it. */
  readonly input: Input
  /** The file. For a `seekable` format it is uncompressed and can be read at any offset. */
  readonly source: Source
  readonly reading: Reading
}

/** The source of an archive that is a directory. */
export interface DirectoryOrigin {
  readonly path: string
  /** Counts the bytes read. */
  readonly source: Source
  readonly reading: Reading
}

interface Named<Name extends string, To, From> {
  readonly name: Name
  write(): Promise<{ openWriter(to: To): ArchiveWriter | Promise<ArchiveWriter> }>
  /** `readMembers` throws an `ArchiveError` if the archive is damaged, or holds something that cannot be read. */
  read(): Promise<{ readMembers(from: From): Batches }>
}

/** What helps to read a damaged archive. */
export interface Salvage {
  /** True when a member begins somewhere in these bytes: for an archive whose beginning is damaged. */
  occursIn(bytes: Buffer): boolean
  /**
   * Pass on only the whole members, and an end, to the reader. It reports with `Reading.lose` what it leaves out. A format
   * without it leaves out damaged members in its reader.
   */
  mend?(input: Input, reading: Reading): AsyncIterable<Uint8Array>
}

/** A format whose archives are single files. */
export interface FileFormat<Name extends string = string> extends Named<Name, FileTarget, FileOrigin> {
  readonly isDirectory?: false
  /** Its file name extensions, each with its dot. */
  readonly extensions: readonly [string, ...string[]]
  /** An archive begins with one of these. */
  readonly magic: readonly Magic[]
  /**
   * True when these bytes begin an archive that has no magic. Called when no format's magic matches.
   *
   * @param head - the first bytes, or the whole file if it is shorter
   */
  readonly isLike?: (head: Buffer) => boolean
  /** Its levels, if the format compresses by itself. */
  readonly levels?: Levels
  /** True when filters can be applied, by the extensions of both. */
  readonly filtered?: boolean
  /** Load what helps to read a damaged archive. */
  salvage?(): Promise<Salvage>
  /** True when the reader needs random access: a pipe is spooled first, and a filter around it is refused. */
  readonly seekable: boolean
}

/** A format whose archives are directories. */
export interface DirectoryFormat<Name extends string = string> extends Named<Name, DirectoryTarget, DirectoryOrigin> {
  readonly isDirectory: true
}

export type Format = FileFormat | DirectoryFormat
