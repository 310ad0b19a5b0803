import { setFlagsFromString } from 'node:v8'

/**
 * Stop the growth of the heap's young generation. It could grow to 32 MB and more in each thread, which does not help work
 * that streams: with 400,000 keys, this limit makes peak memory a quarter less, and the time stays the same.
 *
 * Do not use it for a dump of a live instance: with thousands of requests waiting for their blobs, most of a small young
 * generation survives, and copying it takes a fifth of the processor time.
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
