/** Kinds of file that are not supported, but are recognised by their first bytes, so that an error can name them. */
import type { Magic } from './descriptor.ts'

export interface UnsupportedKind {
  /** What the file is. The text follows `is`. */
  readonly what: string
  readonly magic: Magic
  /** True when the file is compressed, and other programs can uncompress it. */
  readonly isCompressed?: true
  /** A hint that says how to read such an archive. */
  readonly toRead?: string
}

const at0 = (bytes: string): Magic => [[0, bytes]]

export const UNSUPPORTED: readonly UnsupportedKind[] = [
  {
    what: 'a 7z archive',
    magic: at0('7z\xbc\xaf\x27\x1c'),
    toRead: 'unpack it with `7z x`, and give the directory',
  },
  { what: 'a RAR archive', magic: at0('Rar!\x1a\x07') },
  { what: 'a xar archive', magic: at0('xar!') },
  { what: 'an ar archive', magic: at0('!<arch>\n') },
  { what: 'a binary cpio archive', magic: at0('\xc7\x71') },
  { what: 'a binary cpio archive', magic: at0('\x71\xc7') },
  { what: 'compressed by compress (.Z)', magic: at0('\x1f\x9d'), isCompressed: true },
  { what: 'compressed by lzip', magic: at0('LZIP'), isCompressed: true },
  { what: 'compressed by lz4', magic: at0('\x04\x22\x4d\x18'), isCompressed: true },
  { what: 'compressed by lzop', magic: at0('\x89LZO'), isCompressed: true },
  { what: 'compressed by lzma', magic: at0('\x5d\0\0'), isCompressed: true },
  { what: 'an SQLite database', magic: at0('SQLite format 3\0') },
  { what: 'a program', magic: at0('\x7fELF') },
  { what: 'a PDF document', magic: at0('%PDF-') },
  { what: 'an mtree listing', magic: at0('#mtree') },
  { what: 'a WARC archive', magic: at0('WARC/') },
]
