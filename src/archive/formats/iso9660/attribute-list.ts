/**
 * Records of a member that Rock Ridge has no word for, as extended attributes: the AL entries of AAIP 2.0, which libisofs
 * defined and `xorriso` reads and writes. Other readers skip them, as SUSP wants it.
 */
import type { ExtraRecords } from '../../format-encoder.ts'
import { AL_USER } from './layout.ts'
import { putComponents } from './rock-ridge.ts'
import type { SystemUse } from './system-use.ts'

const USER = String.fromCharCode(AL_USER)

/** Names and values take turns, and an entry is continued as SL is (AAIP 2.0, "AL"). */
export function putAttributes(use: SystemUse, extra: ExtraRecords): void {
  const components = Object.entries(extra).flatMap(([name, value]) => [USER + name, value])
  putComponents(
    use,
    'AL',
    components.map((text) => [0, Buffer.from(text)]),
  )
}
