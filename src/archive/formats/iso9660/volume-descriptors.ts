/** Volume descriptors (ECMA-119 8): what a reader looks at first, from sector 16 on. */
import { longDate, NO_LONG_DATE, putBoth16, putBoth32, SECTOR } from './fields.ts'

const TYPE_PRIMARY = 1
const TYPE_SUPPLEMENTARY = 2
const TYPE_TERMINATOR = 255

/** What says that a supplementary descriptor is Joliet's, of UCS-2 level 3 (Joliet specification, "SVD"). */
const JOLIET_LEVEL_3 = '%/E'

/** What mkisofs and libarchive, and so `flux dump`, call a volume that nobody named. */
const VOLUME_IDENTIFIER = 'CDROM'

/** What a descriptor says of its hierarchy. */
export interface VolumeDescriptor {
  joliet: boolean
  /** Of the whole image. */
  sectors: number
  pathTableBytes: number
  /** Where the path tables are. */
  pathTableL: number
  pathTableM: number
  rootRecord: Uint8Array
  mtimeSeconds: number
}

/** @throws {ArchiveError} `EOVERFLOW` when the time cannot be said */
export function volumeDescriptor(volume: VolumeDescriptor): Buffer {
  const { joliet } = volume
  const bytes = begin(joliet ? TYPE_SUPPLEMENTARY : TYPE_PRIMARY)
  const text = (at: number, width: number, value: string) => putText(bytes, at, width, value, joliet)
  text(8, 32, '')
  text(40, 32, VOLUME_IDENTIFIER)
  putBoth32(bytes, 80, volume.sectors)
  if (joliet) bytes.write(JOLIET_LEVEL_3, 88, 'latin1')
  putBoth16(bytes, 120, 1)
  putBoth16(bytes, 124, 1)
  putBoth16(bytes, 128, SECTOR)
  putBoth32(bytes, 132, volume.pathTableBytes)
  bytes.writeUInt32LE(volume.pathTableL, 140)
  bytes.writeUInt32BE(volume.pathTableM, 148)
  bytes.set(volume.rootRecord, 156)
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
  return bytes
}

/** The descriptor that ends them (8.3). */
export function terminator(): Buffer {
  return begin(TYPE_TERMINATOR)
}

function begin(type: number): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes[0] = type
  bytes.write('CD001', 1, 'latin1')
  bytes[6] = 1
  return bytes
}

/** A text, filled up with spaces: of two bytes each in Joliet, where the last byte of an odd width stays zero. */
function putText(to: Buffer, at: number, width: number, value: string, joliet: boolean): void {
  if (!joliet) {
    to.write(value.padEnd(width), at, 'latin1')
    return
  }
  const even = width - (width % 2)
  to.write(value.padEnd(even / 2), at, 'utf16le')
  to.subarray(at, at + even).swap16()
}
