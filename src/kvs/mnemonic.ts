/**
 * Job ids as words, in the encoding of mnemonicode. Each half of the 64 bits, the lower one first, is written as three
 * digits in base 1626, the lowest first; each digit is a word. Two hyphens separate the halves.
 */
import { WORDS } from './mnemonic-words.ts'

const BASE = WORDS.length

/** 64 bits as six words. */
export function wordsOf(id: bigint): string {
  return [id & 0xffff_ffffn, id >> 32n].map((half) => threeWords(Number(half))).join('--')
}

/** Decode six words, with any separators and in any case. @returns undefined when the text is not a job id in words */
export function fromWords(text: string): bigint | undefined {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? []
  const digits = words.map((word) => WORDS.indexOf(word))
  if (digits.length !== 6 || digits.includes(-1)) return undefined
  const [low, high] = [digits.slice(0, 3), digits.slice(3)].map(([a = 0, b = 0, c = 0]) => a + BASE * (b + BASE * c))
  if ((low as number) > 0xffff_ffff || (high as number) > 0xffff_ffff) return undefined
  return (BigInt(high as number) << 32n) | BigInt(low as number)
}

function threeWords(half: number): string {
  const digits = [half % BASE, Math.floor(half / BASE) % BASE, Math.floor(half / BASE ** 2)]
  return digits.map((digit) => WORDS[digit]).join('-')
}
