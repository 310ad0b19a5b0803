/** What an archive format is: its descriptor, and what writes and reads it. */
import type { ArchiveWriter } from '../archive-writer.ts'
import type { Levels, Magic } from '../descriptor.ts'
import type { Filter } from '../filters/index.ts'
import type { MemberAttributes } from '../format-encoder.ts'
import type { Input } from '../input.ts'
import type { ArchiveType } from '../kinds.ts'
import type { Reading } from '../member.ts'
import type { Sink } from '../sink.ts'
import type { Source } from '../source.ts'
import type { Batches } from './batch.ts'

/** What every writer is given. */
interface Target {
  readonly type: ArchiveType
  readonly attributes: MemberAttributes
  /** How hard to compress; 0 when the format does not. */
  readonly level: number
  /** Threads that compress. The bytes do not depend on it. */
  readonly threads: number
  readonly signal: AbortSignal | undefined
}

/** Where an archive goes that is one file. */
export interface FileTarget extends Target {
  /** Committed or aborted with the writer. */
  readonly sink: Sink
  /** Compresses into the sink; there is one only for a format that is `filtered`. */
  readonly filter: Filter | undefined
  /** The sink is standard output. */
  readonly isStdout: boolean
  /** Where there is room for temporary files. */
  readonly spoolDirectory: string
}

/** Where a directory goes. */
export interface DirectoryTarget extends Target {
  /** As it was given. */
  readonly path: string
  /** Permission bits of the files; undefined for its owner alone. */
  readonly fileMode: number | undefined
}

/** What an archive is read from that is one file. */
export interface FileOrigin {
  /** The uncompressed bytes, one after another. Not for a format that is `seekable`. */
  readonly input: Input
  /** The file. One that can be read anywhere, and is not compressed, for a format that is `seekable`. */
  readonly source: Source
  readonly reading: Reading
}

/** What a directory is read from. */
export interface DirectoryOrigin {
  readonly path: string
  /** Counts the bytes that are read. */
  readonly source: Source
  readonly reading: Reading
}

/** Reads one archive, once. */
export interface FormatReader {
  /** @throws {ArchiveError} when the archive is damaged, or holds what cannot be read */
  batches(): Batches
}

interface Named<Name extends string, To, From> {
  readonly name: Name
  write(): Promise<{ openWriter(to: To): ArchiveWriter | Promise<ArchiveWriter> }>
  read(): Promise<{ openReader(from: From): FormatReader }>
}

/** A format of which an archive is one file. */
export interface FileFormat<Name extends string = string> extends Named<Name, FileTarget, FileOrigin> {
  readonly isDirectory?: false
  /** Of file names, each with its dot. */
  readonly extensions: readonly [string, ...string[]]
  /** Any of these may begin an archive. */
  readonly magic: readonly Magic[]
  /**
   * Whether these bytes begin an archive without a magic. Asked when no format has a magic there.
   *
   * @param head - the first bytes; all of a file that has no more
   */
  readonly isLike?: (head: Buffer) => boolean
  /** Only for a format that compresses by itself. */
  readonly levels?: Levels
  /** Written through filters too, by the extensions of both. */
  readonly filtered?: boolean
  /** Read here and there, not from the beginning to the end: a pipe is spooled first, and a filter around it refused. */
  readonly seekable: boolean
}

/** A format of which an archive is a directory, not a file. */
export interface DirectoryFormat<Name extends string = string> extends Named<Name, DirectoryTarget, DirectoryOrigin> {
  readonly isDirectory: true
}

export type Format = FileFormat | DirectoryFormat
