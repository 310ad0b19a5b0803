import type { Decoder } from '../decoder.ts'
import type { Decode } from '../filter.ts'
import { decodeInThread } from '../in-thread.ts'

export const decode: Decode = (chunks, reading) => decodeInThread(import.meta.url, chunks, reading)

/** Called in the thread. The decoder is loaded only there. */
export async function createDecoder(isSalvaging: boolean): Promise<Decoder> {
  const { Bzip2Decoder } = await import('./decoder.ts')
  return new Bzip2Decoder(isSalvaging)
}
