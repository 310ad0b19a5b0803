/** Volume descriptors (ECMA-119 8), which a reader reads first, from sector 16 on. */
import { longDate, NO_LONG_DATE, putBoth16, putBoth32 } from './fields.ts'
import {
  DESCRIPTOR,
  DESCRIPTOR_IDENTIFIER_AT,
  JOLIET_LEVEL_3,
  SECTOR,
  STANDARD_IDENTIFIER,
  TYPE_PRIMARY,
  TYPE_SUPPLEMENTARY,
  TYPE_TERMINATOR,
} from './layout.ts'

/** The volume identifier that mkisofs, libarchive, and so `flux dump` use when none is given. */
const VOLUME_IDENTIFIER = 'CDROM'

/** The contents of a volume descriptor. */
export interface VolumeDescriptor {
  joliet: boolean
  /** Sectors of the whole image. */
  sectors: number
  pathTableBytes: number
  /** Positions of the path tables. */
  pathTableL: number
  pathTableM: number
  rootRecord: Uint8Array
  mtimeSeconds: number
  /** For the field of application use. */
  applicationUse: Uint8Array
}

/** @throws {ArchiveError} `EOVERFLOW` the time does not fit */
export function volumeDescriptor(volume: VolumeDescriptor): Buffer {
  const { joliet } = volume
  const bytes = begin(joliet ? TYPE_SUPPLEMENTARY : TYPE_PRIMARY)
  const text = (at: number, width: number, value: string) => putText(bytes, at, width, value, joliet)
  text(DESCRIPTOR.systemIdentifier, 32, '')
  text(DESCRIPTOR.volumeIdentifier, 32, VOLUME_IDENTIFIER)
  putBoth32(bytes, DESCRIPTOR.volumeSectors, volume.sectors)
  if (joliet) bytes.write(JOLIET_LEVEL_3, DESCRIPTOR.escapeSequences, 'latin1')
  putBoth16(bytes, DESCRIPTOR.volumeSetSize, 1)
  putBoth16(bytes, DESCRIPTOR.volumeSequenceNumber, 1)
  putBoth16(bytes, DESCRIPTOR.blockBytes, SECTOR)
  putBoth32(bytes, DESCRIPTOR.pathTableBytes, volume.pathTableBytes)
  bytes.writeUInt32LE(volume.pathTableL, DESCRIPTOR.pathTableL)
  bytes.writeUInt32BE(volume.pathTableM, DESCRIPTOR.pathTableM)
  bytes.set(volume.rootRecord, DESCRIPTOR.rootRecord)
  text(190, 128, '')
  text(318, 128, '')
  text(446, 128, '')
  text(574, 128, '')
  text(702, 37, '')
  text(739, 37, '')
  text(776, 37, '')
  const date = longDate(volume.mtimeSeconds)
  bytes.set(date, 813)
  bytes.set(date, 830)
  bytes.set(NO_LONG_DATE, 847)
  bytes.set(NO_LONG_DATE, 864)
  bytes[881] = 1
  bytes.set(volume.applicationUse, DESCRIPTOR.applicationUse)
  return bytes
}

/** The terminator of the volume descriptors (8.3). */
export function terminator(): Buffer {
  return begin(TYPE_TERMINATOR)
}

function begin(type: number): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes[0] = type
  bytes.write(STANDARD_IDENTIFIER, DESCRIPTOR_IDENTIFIER_AT, 'latin1')
  bytes[DESCRIPTOR.version] = 1
  return bytes
}

/**
 * Write a text padded with spaces. In Joliet each character has two bytes, and the last byte of an odd width stays
 * zero.
 */
function putText(to: Buffer, at: number, width: number, value: string, joliet: boolean): void {
  if (!joliet) {
    to.write(value.padEnd(width), at, 'latin1')
    return
  }
  const even = width - (width % 2)
  to.write(value.padEnd(even / 2), at, 'utf16le')
  to.subarray(at, at + even).swap16()
}
