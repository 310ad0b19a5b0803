/**
 * Errno names, Linux numbers and glibc texts of the errors that Flux, the file system and this package raise. Compare
 * names, not numbers: brokers send positive numbers (RFC 3, "errnum"), Node has negative ones, and RFC 3 and RFC 10
 * disagree on some.
 */
const TABLE = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  EINTR: [4, 'Interrupted system call'],
  EIO: [5, 'Input/output error'],
  EBADF: [9, 'Bad file descriptor'],
  EAGAIN: [11, 'Resource temporarily unavailable'],
  ENOMEM: [12, 'Cannot allocate memory'],
  EACCES: [13, 'Permission denied'],
  EBUSY: [16, 'Device or resource busy'],
  EEXIST: [17, 'File exists'],
  EXDEV: [18, 'Invalid cross-device link'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  EMFILE: [24, 'Too many open files'],
  EFBIG: [27, 'File too large'],
  ENOSPC: [28, 'No space left on device'],
  EROFS: [30, 'Read-only file system'],
  EPIPE: [32, 'Broken pipe'],
  ENAMETOOLONG: [36, 'File name too long'],
  ENOSYS: [38, 'Function not implemented'],
  ELOOP: [40, 'Too many levels of symbolic links'],
  ENODATA: [61, 'No data available'],
  EPROTO: [71, 'Protocol error'],
  EBADMSG: [74, 'Bad message'],
  EOVERFLOW: [75, 'Value too large for defined data type'],
  EILSEQ: [84, 'Invalid or incomplete multibyte or wide character'],
  EMSGSIZE: [90, 'Message too long'],
  ENOTSUP: [95, 'Operation not supported'],
  ECONNRESET: [104, 'Connection reset by peer'],
  ENOTCONN: [107, 'Transport endpoint is not connected'],
  ETIMEDOUT: [110, 'Connection timed out'],
  ECONNREFUSED: [111, 'Connection refused'],
  EHOSTUNREACH: [113, 'No route to host'],
  EALREADY: [114, 'Operation already in progress'],
  EDQUOT: [122, 'Disk quota exceeded'],
  ECANCELED: [125, 'Operation canceled'],
  ENOTRECOVERABLE: [131, 'State not recoverable'],
} as const satisfies Record<string, readonly [errnum: number, text: string]>

/** The name of an errno, e.g. `ENOENT`: what callers compare. */
export type ErrnoName = keyof typeof TABLE

const BY_NUMBER = new Map<number, ErrnoName>(
  Object.entries(TABLE).map(([name, [errnum]]) => [errnum, name as ErrnoName]),
)

/** The Linux number of an errno, positive as on the wire. */
export function errnoNumber(name: ErrnoName): number {
  return TABLE[name][0]
}

/** The text that the C tools print for an errno. */
export function errnoText(name: ErrnoName): string {
  return TABLE[name][1]
}

/** The name of a Linux errno number, or undefined when the table lacks it. */
export function errnoName(errnum: number): ErrnoName | undefined {
  return BY_NUMBER.get(errnum)
}

/** True when `code` (as on Node's system errors) is a name of the table. */
export function isErrnoName(code: unknown): code is ErrnoName {
  return typeof code === 'string' && Object.hasOwn(TABLE, code)
}
