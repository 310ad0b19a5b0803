import { FluxError } from '../../errors/index.ts'
import type { FilterName } from '../formats.ts'
import type { Sink } from '../sink.ts'
import type { Filter, FilterOptions } from './filter.ts'
import { GzipFilter } from './gzip.ts'

/** The filter of a name; undefined for none. @param sink - where its bytes go */
export function createFilter(name: FilterName, sink: Sink, options: FilterOptions): Filter | undefined {
  switch (name) {
    case 'none':
      return undefined
    case 'gzip':
      return new GzipFilter(sink, options)
    default:
      throw new FluxError('ENOTSUP', `${name} is not written`)
  }
}
