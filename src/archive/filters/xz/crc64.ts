/** The CRC-64 of .xz (ECMA-182, reflected), as two 32-bit halves: a BigInt for each byte would be far too slow. */
const LOW = new Int32Array(256)
const HIGH = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let low = byte
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (odd) {
      low ^= 0xd787_0f42
      high ^= 0xc96c_5795
    }
  }
  LOW[byte] = low
  HIGH[byte] = high
}

export class Crc64 {
  #low = -1
  #high = -1

  update(chunk: Uint8Array): void {
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < chunk.length; i++) {
      const at = (low ^ (chunk[i] as number)) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ (LOW[at] as number)
      high = (high >>> 8) ^ (HIGH[at] as number)
    }
    this.#low = low
    this.#high = high
  }

  /** The checksum as 8 bytes, little-endian. */
  digest(): Uint8Array {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32LE(~this.#low, 0)
    bytes.writeInt32LE(~this.#high, 4)
    return bytes
  }
}
