import { UsageError } from './usage-error.ts'

const SCALES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/**
 * Parse a size as Flux's tools do: a number, also a fraction, with k, K, M, G or T for powers of 1024.
 *
 * @returns whole bytes
 * @throws {UsageError} the text is not a size
 * @see flux-core `src/common/libutil/parse_size.c`
 */
export function parseSize(text: string, flag: string): number {
  const [, number, suffix] = /^(0x[0-9a-f]+|\d+(?:\.\d*)?(?:e\d+)?|\.\d+)([kKMGT]?)$/.exec(text) ?? []
  const bytes = number === undefined ? Number.NaN : Math.floor(Number(number) * (SCALES[suffix ?? ''] as number))
  if (Number.isSafeInteger(bytes)) return bytes
  throw new UsageError(
    `invalid argument for option '${flag}': ${text}: Invalid argument`,
    'examples of sizes: 100M, 1.5G',
  )
}
