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

/** The job ids whose text, in one form, begins with some text. */
export interface JobidPrefix {
  readonly form: JobidForm
  /** Ascending; the first and the last id of each range are included. */
  readonly ranges: readonly (readonly [first: bigint, last: bigint])[]
}

/**
 * Which ids are meant by the beginning of one. An empty text is the beginning of all, in F58.
 *
 * @returns undefined when no id begins so; words are not supported
 */
export function jobidPrefix(text: string): JobidPrefix | undefined {
  const [, f58, plain, hex, dec, job, dotted] =
    /^(?:(ƒ.*)|(f[^.]*)|(0x[0-9a-f]*)|([1-9][0-9]*|0)|(j|jo|job|job\.)|((?:job\.)?(?:[0-9a-f]{4}\.){0,3}[0-9a-f]{0,4}))$/.exec(
      text,
    ) ?? []
  if (text === '' || job !== undefined) return { form: job === undefined ? 'f58' : 'kvs', ranges: [[0n, LARGEST]] }
  if (f58 !== undefined)
    return digitPrefix(
      'f58',
      [...f58.slice(1)].map((digit) => BASE58.indexOf(digit)),
      58n,
    )
  if (plain !== undefined)
    return digitPrefix(
      'f58plain',
      [...plain.slice(1)].map((digit) => BASE58.indexOf(digit)),
      58n,
    )
  if (hex !== undefined)
    return digitPrefix(
      'hex',
      [...hex.slice(2)].map((digit) => Number.parseInt(digit, 16)),
      16n,
    )
  if (dec !== undefined) return digitPrefix('dec', [...dec].map(Number), 10n)
  if (dotted === undefined) return undefined
  const digits = dotted.replace(/^job/, '').replaceAll('.', '')
  const [first, last] = ['0', 'f'].map((digit) => BigInt(`0x${digits.padEnd(16, digit)}`)) as [bigint, bigint]
  return { form: dotted.startsWith('job') ? 'kvs' : 'dothex', ranges: [[first, last]] }
}

/** The numbers of any length that begin with some digits. */
function digitPrefix(form: JobidForm, digits: readonly number[], base: bigint): JobidPrefix | undefined {
  if (digits.some((digit) => digit < 0)) return undefined
  if (digits.length === 0) return { form, ranges: [[0n, LARGEST]] }
  // Only zero begins with a zero.
  if (digits[0] === 0) return digits.length === 1 ? { form, ranges: [[0n, 0n]] } : undefined
  const ranges: [bigint, bigint][] = []
  let first = digits.reduce((number, digit) => number * base + BigInt(digit), 0n)
  for (let last = first; first <= LARGEST; first *= base, last = last * base + base - 1n) {
    ranges.push([first, last < LARGEST ? last : LARGEST])
  }
  return ranges.length === 0 ? undefined : { form, ranges }
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
