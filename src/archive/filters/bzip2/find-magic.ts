import { BLOCK_MAGIC, END_MAGIC } from './layout.ts'

/** The bit at which the next magic begins; -1 for none. It can begin at any bit. */
export function findMagic(input: Uint8Array, from: number): number {
  const magics = [BLOCK_MAGIC, END_MAGIC].map((magic) => [Math.floor(magic / 0x100_0000), magic % 0x100_0000] as const)
  let high = 0
  let low = 0
  for (let bit = from; bit < input.length * 8; bit++) {
    high = ((high << 1) | (low >>> 23)) & 0xff_ffff
    low = ((low << 1) | (((input[bit >> 3] as number) >> (7 - (bit & 7))) & 1)) & 0xff_ffff
    if (bit - from < 47) continue
    for (const [first, last] of magics) if (high === first && low === last) return bit - 47
  }
  return -1
}
