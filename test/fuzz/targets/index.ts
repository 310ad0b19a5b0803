import type { Target } from '../target.ts'
import { cpio, iso9660, tar, zip } from './archives.ts'
import { bzip2, gzip, lz4, xz, zstd } from './filters.ts'
import { eventlogs, formats, jobs } from './jobs.ts'
import { messages } from './messages.ts'
import { hostlists, idsets } from './resources.ts'
import { packs, pages } from './stores.ts'
import { trees } from './trees.ts'

/** All that is fuzzed. */
export const TARGETS: readonly Target[] = [
  ...[messages, trees, eventlogs, jobs, hostlists, idsets, formats],
  ...[tar, cpio, zip, iso9660, gzip, bzip2, xz, zstd, lz4, pages, packs],
]
