import type { ExportFormat } from '../format.ts'

/** Comma-separated values (RFC 4180), with a line of column names. */
export const csv = {
  name: 'csv',
  extensions: ['.csv'],
  appends: false,
  text: () => import('./text.ts'),
} as const satisfies ExportFormat
