import type { FilterName } from '../formats.ts'
import type { Sink } from '../sink.ts'
import type { BlockCompressor } from './block-filter.ts'
import type { Filter, FilterOptions } from './filter.ts'

/**
 * The filter of a name; undefined for none. Only that one is loaded.
 *
 * @param sink - where its bytes go
 * @throws {FluxError} `ENOENT` when it takes a program that is not there
 */
export async function createFilter(name: FilterName, sink: Sink, options: FilterOptions): Promise<Filter | undefined> {
  if (name === 'none') return undefined
  if (name === 'gzip') {
    const { GzipFilter } = await import('./gzip/encode.ts')
    return new GzipFilter(sink, options)
  }
  const { BlockFilter } = await import('./block-filter.ts')
  return new BlockFilter(sink, await createCompressor(name, options), options)
}

async function createCompressor(
  name: Exclude<FilterName, 'none' | 'gzip'>,
  { level, name: file, signal }: FilterOptions,
): Promise<BlockCompressor> {
  switch (name) {
    case 'bzip2': {
      const { bzip2Compressor } = await import('./bzip2/encode.ts')
      return bzip2Compressor(level, signal)
    }
    case 'xz': {
      const { xzCompressor } = await import('./xz/encode.ts')
      return xzCompressor(level, file)
    }
    case 'zstd': {
      const { ZstdCompressor } = await import('./zstd/encode.ts')
      return new ZstdCompressor(level)
    }
  }
}
