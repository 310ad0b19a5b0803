/**
 * Job ids (RFC 19): 64 bits, whose upper 40 are milliseconds since the instance began. Flux writes them in several
 * forms, and this module reads any of them.
 *
 * @see flux_job_id_parse(3); flux-core `src/common/libutil/fluid.c`
 */
import { FluxError } from '../errors/index.ts'
import { emojisOf, fromEmojis } from './basemoji.ts'
import { fromWords, wordsOf } from './mnemonic.ts'

/** The forms in which `flux job id --to` writes a job id. */
export const JOBID_FORMS = ['f58', 'f58plain', 'dec', 'hex', 'dothex', 'kvs', 'words', 'emoji'] as const
/** One of {@link JOBID_FORMS}. */
export type JobidForm = (typeof JOBID_FORMS)[number]

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const LARGEST = 2n ** 64n - 1n

/** Format a job id. */
export function formatJobid(id: bigint, form: JobidForm = 'f58'): string {
  switch (form) {
    case 'f58':
      return `ƒ${base58(id)}`
    case 'f58plain':
      return `f${base58(id)}`
    case 'dec':
      return String(id)
    case 'hex':
      return `0x${id.toString(16)}`
    case 'dothex':
      return dothex(id)
    case 'kvs':
      return `job.${dothex(id)}`
    case 'words':
      return wordsOf(id)
    case 'emoji':
      return emojisOf(id)
  }
}

/** The key of the directory that holds a job's records (RFC 16). */
export function jobKey(id: bigint): string {
  return formatJobid(id, 'kvs')
}

/**
 * Parse a job id in any of the {@link JOBID_FORMS}; F58 may begin with `ƒ` or `f`.
 *
 * @throws {FluxError} `EINVAL` the text is not a job id
 */
export function parseJobid(text: string): bigint {
  const id = idOf(text.trim().replace(/^job\./, ''))
  if (id !== undefined && id <= LARGEST) return id
  throw new FluxError('EINVAL', `${text}: not a job id`, {
    hint: 'it looks like ƒ2CCFUrT, f2CCFUrT, 45415923712, 0xa93000000 or job.0000.000a.9300.0000',
  })
}

function idOf(text: string): bigint | undefined {
  // Hexadecimal digits and words can begin with f too, but they have dots or hyphens, and F58 has neither.
  if (text.includes('.')) {
    const parts = /^([0-9a-f]{1,4})\.([0-9a-f]{1,4})\.([0-9a-f]{1,4})\.([0-9a-f]{1,4})$/i.exec(text)?.slice(1)
    return parts && BigInt(`0x${parts.map((part) => part.padStart(4, '0')).join('')}`)
  }
  if (text.includes('-')) return fromWords(text)
  if (text.startsWith('ƒ') || text.startsWith('f')) return fromBase58(text.slice(1))
  return /^(?:0x[0-9a-f]+|[0-9]+)$/i.test(text) ? BigInt(text) : fromEmojis(text)
}

function dothex(id: bigint): string {
  const digits = id.toString(16).padStart(16, '0')
  return `${digits.slice(0, 4)}.${digits.slice(4, 8)}.${digits.slice(8, 12)}.${digits.slice(12)}`
}

function base58(id: bigint): string {
  let text = ''
  do {
    text = BASE58[Number(id % 58n)] + text
    id /= 58n
  } while (id > 0n)
  return text
}

function fromBase58(digits: string): bigint | undefined {
  if (digits === '' || digits.length > 12) return undefined
  let id = 0n
  for (const digit of digits) {
    const value = BASE58.indexOf(digit)
    if (value < 0) return undefined
    id = id * 58n + BigInt(value)
  }
  return id
}
