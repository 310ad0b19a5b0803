import type { ExportFormat } from '../format.ts'

/** A Parquet file, or a directory of one file for each day. */
export const parquet = {
  name: 'parquet',
  extensions: ['.parquet'],
  appends: true,
  write: () => import('./writer.ts'),
} as const satisfies ExportFormat
