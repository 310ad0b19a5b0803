/**
 * Records of a member that Rock Ridge cannot hold, written as extended attributes: the AL entries of AAIP 2.0, which
 * libisofs defined and `xorriso` reads and writes. Other readers skip them, as SUSP requires.
 */
import type { ExtraRecords } from '../../format-encoder.ts'
import { AL_USER } from './layout.ts'
import { putComponents } from './rock-ridge.ts'
import type { SystemUse } from './system-use.ts'

const USER = String.fromCharCode(AL_USER)

/** Names and values alternate, and an entry continues like SL (AAIP 2.0, "AL"). */
export function putAttributes(use: SystemUse, extra: ExtraRecords): void {
  const components = Object.entries(extra).flatMap(([name, value]) => [USER + name, value])
  putComponents(
    use,
    'AL',
    components.map((text) => [0, Buffer.from(text)]),
  )
}
