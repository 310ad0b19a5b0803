import type { Target } from '../target.ts'
import { cpio, iso9660, tar, zip } from './archives.ts'
import { bzip2, gzip, lz4, xz, zstd } from './filters.ts'
import { eventlogs, events, formats, jobs, nodes } from './jobs.ts'
import { members } from './members.ts'
import { answers, messages } from './messages.ts'
import { hostlists, idsets } from './resources.ts'
import { checkpoints, checksums, packs, pages } from './stores.ts'
import { jobids, times, uris } from './texts.ts'
import { trees } from './trees.ts'

/** All that is fuzzed. */
export const TARGETS: readonly Target[] = [
  ...[messages, answers, trees, eventlogs, events, jobs, nodes, hostlists, idsets, formats, uris, jobids, times],
  ...[tar, cpio, zip, iso9660, gzip, bzip2, xz, zstd, lz4, members, checksums, pages, packs, checkpoints],
]
