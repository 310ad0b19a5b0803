import { setFlagsFromString } from 'node:v8'

/**
 * Let the heap's young generation grow no further than it has while the program was loaded. Up to its 32 MB and more, in each
 * thread, it wins nothing for work that streams: on 400,000 keys, peak memory is a quarter less, and the time the same.
 *
 * Not for a dump of a live instance: with thousands of requests waiting for their blobs, most of a small young generation
 * survives, and copying it takes a fifth of the processor time.
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
