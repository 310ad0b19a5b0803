/** All filters, in the order of the help texts. */
import { bzip2 } from './bzip2/index.ts'
import { gzip } from './gzip/index.ts'
import { xz } from './xz/index.ts'
import { zstd } from './zstd/index.ts'

export type { Decode, Filter, FilterDescriptor, FilterOptions } from './filter.ts'

export const FILTERS = [gzip, bzip2, xz, zstd] as const
