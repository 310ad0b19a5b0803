/**
 * The layout of a zip (PKWARE APPNOTE.TXT 6.3.10, 4.3.7 to 4.3.16 and 4.5): the magic of each header, the offsets of
 * its fields, and its length without the variable parts. Numbers are little-endian.
 *
 * Fields that are read for each member are separate constants: as properties of an object they make a reader at least 5
 * % slower.
 */

/** The header before the content of a member (4.3.7); name and extra fields follow. */
export const LOCAL_MAGIC = 0x0403_4b50
export const LOCAL_BYTES = 30
export const LOCAL_VERSION = 4
export const LOCAL_FLAGS = 6
export const LOCAL_METHOD = 8
export const LOCAL_DOS_TIME = 10
export const LOCAL_CRC = 14
export const LOCAL_PACKED = 18
export const LOCAL_SIZE = 22
export const LOCAL_NAME_BYTES = 26
export const LOCAL_EXTRA_BYTES = 28

/** An entry of the directory at the end (4.3.12); name, extra fields and comment follow. */
export const ENTRY_MAGIC = 0x0201_4b50
export const ENTRY_BYTES = 46
export const ENTRY_MADE_BY = 4
export const ENTRY_VERSION = 6
export const ENTRY_FLAGS = 8
export const ENTRY_METHOD = 10
export const ENTRY_DOS_TIME = 12
export const ENTRY_CRC = 16
export const ENTRY_PACKED = 20
export const ENTRY_SIZE = 24
export const ENTRY_NAME_BYTES = 28
export const ENTRY_EXTRA_BYTES = 30
export const ENTRY_COMMENT_BYTES = 32
export const ENTRY_ATTRIBUTES = 38
export const ENTRY_HEADER_OFFSET = 42

/** The end record of the archive (4.3.16); a comment may follow. */
export const END_MAGIC = 0x0605_4b50
export const END_BYTES = 22
export const MAX_COMMENT_BYTES = 0xffff
export const END = { disk: 4, entriesOnDisk: 8, entries: 10, size: 12, offset: 16, commentBytes: 20 } as const

/** The Zip64 end record, with wider fields (4.3.14); the locator follows. */
export const END64_MAGIC = 0x0606_4b50
export const END64_BYTES = 56
export const END64 = {
  bytesAfter: 4,
  madeBy: 12,
  version: 14,
  entriesOnDisk: 24,
  entries: 32,
  size: 40,
  offset: 48,
} as const

/** The locator, with the offset of the Zip64 end record (4.3.15). The end record follows. */
export const LOCATOR_MAGIC = 0x0706_4b50
export const LOCATOR_BYTES = 20
export const LOCATOR = { endOffset: 8, disks: 16 } as const

/** A digital signature of the directory (4.3.13), which is not checked. */
export const SIGNATURE_MAGIC = 0x0505_4b50

/** The data descriptor after a content whose sizes were not known before (4.3.9). */
const DATA_DESCRIPTOR_MAGIC = 0x0807_4b50

/**
 * The magics that a zip can begin with, as Latin-1: a member, the end record of an empty zip, or the marker of a split
 * zip.
 */
export const MAGICS = [LOCAL_MAGIC, END_MAGIC, DATA_DESCRIPTOR_MAGIC].map((magic) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(magic)
  return bytes.toString('latin1')
})

/** Flags (4.4.4). */
export const FLAG_ENCRYPTED = 0x0001
/** Sizes and checksum follow the content, and may be 0 in the header. libarchive writes the size there too. */
export const FLAG_SIZES_FOLLOW = 0x0008
export const FLAG_STRONG_ENCRYPTION = 0x0040
/** Names are UTF-8. */
export const FLAG_UTF8 = 0x0800
export const FLAG_MASKED_HEADER = 0x2000

/** Methods (4.4.5). */
export const STORED = 0
export const DEFLATED = 8

/** Systems ("version made by", 4.4.2) on which the upper half of the external attributes is a Unix mode. */
export const MADE_ON_UNIX = 3
export const MADE_ON_DARWIN = 19

/** The greatest value of a field means that the Zip64 extra field or the Zip64 end record holds the number. */
export const SEE_ZIP64_16 = 0xffff
export const SEE_ZIP64_32 = 0xffff_ffff

/** Extra fields (4.5.2): Zip64, NTFS times; and Info-ZIP's times "UT", owner "ux" and name in UTF-8 "up". */
export const EXTRA_ZIP64 = 0x0001
export const EXTRA_NTFS = 0x000a
export const EXTRA_UT = 0x5455
export const EXTRA_UX = 0x7875
export const EXTRA_UNICODE_PATH = 0x7075
/**
 * libarchive's "xl", only in headers before the content: it repeats fields that otherwise only the directory has.
 * Without it, a reader of a stream, such as `flux restore` from a pipe, would take a symlink for a file.
 */
export const EXTRA_XL = 0x6c78
/**
 * `FL`: the records that other formats have in a pax header, in the same notation. The id is not a registered one
 * (4.5.2).
 */
export const EXTRA_RECORDS = 0x4c46

/** Seconds from 1601, the NTFS epoch, to 1970. */
export const NTFS_EPOCH_SECONDS = 11_644_473_600
