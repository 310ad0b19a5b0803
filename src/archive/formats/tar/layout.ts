/** The header of a tar member. Fields are named as in the standard (POSIX pax(1), "ustar Interchange Format"). */

/** The file name extension, with its dot. */
export const EXTENSION = '.tar'

/** Headers and contents are padded to blocks of this size. */
export const BLOCK_BYTES = 512
/** A tape record: GNU tar and libarchive pad a streamed archive to a multiple of it. */
export const RECORD_BYTES = 10_240

/** The offset of a field, and its width, in bytes. */
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
/** star has times after a shorter prefix, and a magic of its own at the end. */
export const STAR_PREFIX = [345, 131] as const
export const STAR_MAGIC = [508, 4] as const

/** The magic; a NUL follows it in POSIX, a space in GNU. */
export const USTAR = 'ustar'
export const STAR = 'tar\0'

/** Types of members that are written, and of those that are headers for the next member. */
export const TYPE_FILE = '0'
export const TYPE_SYMLINK = '2'
export const TYPE_PAX = 'x'
/** Sun's extended header, older than that of POSIX. */
export const TYPE_PAX_SUN = 'X'
export const TYPE_PAX_GLOBAL = 'g'
export const TYPE_GNU_LONG_NAME = 'L'
export const TYPE_GNU_LONG_LINK = 'K'
/** A GNU directory, whose content is a list of names. */
export const TYPE_GNU_DUMPDIR = 'D'

/** The largest numbers that fit octal fields of 8 and of 12 bytes, with a terminator. */
export const MAX_ID = 0o7777777
export const MAX_SIZE = 0o77777777777
