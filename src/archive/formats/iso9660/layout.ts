/**
 * The layout of an ISO 9660 image (ECMA-119) and of its extensions, Joliet and Rock Ridge (SUSP, RRIP, AAIP). Offsets
 * count from 0 here, and from 1 in the standards.
 */

/**
 * Bytes of a logical sector, and here of a logical block too (ECMA-119 6.1.2, 6.2.2). Positions count in these units.
 */
export const SECTOR = 2048
/** Sectors of the system area, before the volume descriptors (6.2.1). */
export const SYSTEM_SECTORS = 16

/** Types of volume descriptors (8.1.1). */
export const TYPE_PRIMARY = 1
export const TYPE_SUPPLEMENTARY = 2
export const TYPE_TERMINATOR = 255

/** The identifier after the type of a volume descriptor (8.1.2). */
export const STANDARD_IDENTIFIER = 'CD001'
export const DESCRIPTOR_IDENTIFIER_AT = 1

/**
 * The fields of a primary or supplementary volume descriptor (8.4, 8.5). The fields after the root's record are texts
 * and times.
 */
export const DESCRIPTOR = {
  version: 6,
  systemIdentifier: 8,
  volumeIdentifier: 40,
  volumeSectors: 80,
  escapeSequences: 88,
  volumeSetSize: 120,
  volumeSequenceNumber: 124,
  blockBytes: 128,
  pathTableBytes: 132,
  pathTableL: 140,
  pathTableM: 148,
  rootRecord: 156,
  applicationUse: 883,
} as const

/** Bytes of the field for application use (8.4.32), whose content no standard gives. */
export const APPLICATION_USE_BYTES = 512

/** Escape sequences of a Joliet supplementary descriptor: UCS-2, level 1, 2 or 3. */
export const JOLIET_LEVEL_3 = '%/E'
export const JOLIET_LEVELS: readonly string[] = ['%/@', '%/C', JOLIET_LEVEL_3]

/** The fields of a directory record (9.1), after its length. */
export const RECORD = {
  attributeSectors: 1,
  extent: 2,
  dataLength: 10,
  date: 18,
  flags: 25,
  interleaved: 26,
  sequenceNumber: 28,
  identifierLength: 32,
  identifier: 33,
} as const

/** Flags of a directory record (9.1.6). */
export const FLAG_DIRECTORY = 0x02
export const FLAG_ASSOCIATED = 0x04
export const FLAG_MULTI_EXTENT = 0x80

/** The year 0 of a short date (9.1.5). */
export const FIRST_SHORT_YEAR = 1900
/** Bytes of a short date, and of a long one (8.4.26.1). */
export const SHORT_DATE_BYTES = 7
export const LONG_DATE_BYTES = 17

/** Header of a system use entry (SUSP 4.1): signature, length and version. Its data follow. */
export const ENTRY_HEADER_BYTES = 4

/** The fields of CE: where the entries continue (SUSP 5.1). */
export const CE = { sector: 4, offset: 12, length: 20 } as const
export const CE_BYTES = 28

/** The field of SP after its two check bytes: how many bytes to skip in all other records (SUSP 5.3). */
export const SP = { skip: 6 } as const
export const SP_CHECK = [0xbe, 0xef] as const

/** The fields of PX: mode, links, owner, group, serial number, each in both byte orders (RRIP 4.1.1). */
export const PX = { mode: 4, links: 12, uid: 20, gid: 28, serial: 36 } as const
export const PX_BYTES = 44

/** Flags of TF: which times follow, and whether they are long dates (RRIP 4.1.6). */
export const TF_CREATION = 0x01
export const TF_MODIFY = 0x02
export const TF_ACCESS = 0x04
export const TF_ATTRIBUTES = 0x08
export const TF_LONG_FORM = 0x80

/** NM, SL and AL have flags, and then their bytes. */
export const PIECE_FLAGS_AT = 4
export const PIECE_AT = 5
/** The entry continues in the next of its kind; so does a component of SL (RRIP 4.1.3, 4.1.4). */
export const CONTINUE = 0x01
/** NM flags: the name of the directory itself, and of its parent. */
export const NM_CURRENT = 0x02
export const NM_PARENT = 0x04
/** Bytes of flags and length before the content of a component of SL or AL. */
export const COMPONENT_HEADER_BYTES = 2
/** Components of SL that stand for a name. */
export const SL_CURRENT = 0x02
export const SL_PARENT = 0x04
export const SL_ROOT = 0x08

/** The field of CL and PL: the position of the directory (RRIP 4.1.5). */
export const CL = { sector: 4 } as const

/** AAIP's short notation of the namespace `user.` at the start of the name of an attribute. */
export const AL_USER = 3
