import type { FilterName } from '../formats.ts'
import type { Sink } from '../sink.ts'
import { BlockFilter } from './block-filter.ts'
import { Bzip2Compressor } from './bzip2.ts'
import type { Filter, FilterOptions } from './filter.ts'
import { GzipFilter } from './gzip.ts'
import { XzCompressor } from './xz.ts'
import { ZstdCompressor } from './zstd.ts'

/**
 * The filter of a name; undefined for none.
 *
 * @param sink - where its bytes go
 * @throws {FluxError} `ENOENT` when it takes a program that is not there
 */
export function createFilter(name: FilterName, sink: Sink, options: FilterOptions): Filter | undefined {
  switch (name) {
    case 'none':
      return undefined
    case 'gzip':
      return new GzipFilter(sink, options)
    case 'bzip2':
      return new BlockFilter(sink, new Bzip2Compressor(options.level), options)
    case 'xz':
      return new BlockFilter(sink, new XzCompressor(options.level, options.name), options)
    case 'zstd':
      return new BlockFilter(sink, new ZstdCompressor(options.level), options)
  }
}
