/** The headers of a cpio: POSIX odc (IEEE 1003.1-1990, "Extended cpio Format"), and SVR4 newc. */

/** The offset of a field, and its width, in bytes. */
export type Field = readonly [at: number, width: number]

export interface Layout {
  /** Bytes of a header before the name. */
  bytes: number
  radix: 8 | 16
  /** Names and contents are padded to a multiple of this. */
  align: 1 | 4
  /** The fields, named as in the standard. */
  fields: Readonly<Record<'ino' | 'mode' | 'uid' | 'gid' | 'nlink' | 'mtime' | 'namesize' | 'size', Field>>
  /** Fields that together with `ino` identify a file. */
  device: readonly [Field, ...Field[]]
}

export const MAGIC_BYTES = 6
/** odc: numbers in octal. */
export const ODC_MAGIC = '070707'
/** newc: numbers in hexadecimal; without and with a checksum. */
export const NEWC_MAGIC = '070701'
export const CRC_MAGIC = '070702'

export const ODC: Layout = {
  bytes: 76,
  radix: 8,
  align: 1,
  fields: {
    ino: [12, 6],
    mode: [18, 6],
    uid: [24, 6],
    gid: [30, 6],
    nlink: [36, 6],
    mtime: [48, 11],
    namesize: [59, 6],
    size: [65, 11],
  },
  device: [[6, 6]],
}

export const NEWC: Layout = {
  bytes: 110,
  radix: 16,
  align: 4,
  fields: {
    ino: [6, 8],
    mode: [14, 8],
    uid: [22, 8],
    gid: [30, 8],
    nlink: [38, 8],
    mtime: [46, 8],
    size: [54, 8],
    namesize: [94, 8],
  },
  device: [
    [62, 8],
    [70, 8],
  ],
}

/** The checksum field of newc with a checksum: the sum of all bytes of the content. */
export const CHECK: Field = [102, 8]

export const LAYOUTS: Readonly<Record<string, Layout>> = { [ODC_MAGIC]: ODC, [NEWC_MAGIC]: NEWC, [CRC_MAGIC]: NEWC }

/** Most bytes of the records after the trailer. */
export const RECORDS_BYTES = 64 << 10

/** The name that ends an archive. */
export const TRAILER = 'TRAILER!!!'
