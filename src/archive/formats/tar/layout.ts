/** The header of a tar member, under the names of the standard (POSIX pax(1), "ustar Interchange Format"). */

/** Headers and contents are filled up to blocks of this. */
export const BLOCK_BYTES = 512
/** A tape record: what GNU tar and libarchive fill a streamed archive up to. */
export const RECORD_BYTES = 10_240

/** Where a field is, and its width. */
export type Field = readonly [at: number, width: number]

export const NAME = [0, 100] as const
export const MODE = [100, 8] as const
export const UID = [108, 8] as const
export const GID = [116, 8] as const
export const SIZE = [124, 12] as const
export const MTIME = [136, 12] as const
export const CHKSUM = [148, 8] as const
export const TYPEFLAG = 156
export const LINKNAME = [157, 100] as const
export const MAGIC = [257, 6] as const
export const VERSION = [263, 2] as const
export const DEVMAJOR = [329, 8] as const
export const DEVMINOR = [337, 8] as const
export const PREFIX = [345, 155] as const
/** star has times behind a shorter prefix, and says so at the end. */
export const STAR_PREFIX = [345, 131] as const
export const STAR_MAGIC = [508, 4] as const

/** The magic; a NUL follows it in POSIX, a space in GNU. */
export const USTAR = 'ustar'
export const STAR = 'tar\0'

/** Types of members: those that are written, or are headers of the member after them. */
export const TYPE_FILE = '0'
export const TYPE_SYMLINK = '2'
export const TYPE_PAX = 'x'
/** Sun's, from before POSIX had one. */
export const TYPE_PAX_SUN = 'X'
export const TYPE_PAX_GLOBAL = 'g'
export const TYPE_GNU_LONG_NAME = 'L'
export const TYPE_GNU_LONG_LINK = 'K'
/** A directory of GNU's with a list of names for content. */
export const TYPE_GNU_DUMPDIR = 'D'

/** The largest numbers that fit octal fields of 8 and of 12 bytes. */
export const MAX_ID = 0o7777777
export const MAX_SIZE = 0o77777777777
