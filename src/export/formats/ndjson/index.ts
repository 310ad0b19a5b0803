import type { ExportFormat } from '../format.ts'

/** JSON objects, one a line. */
export const ndjson = {
  name: 'ndjson',
  extensions: ['.ndjson', '.jsonl'],
  appends: false,
  text: () => import('./text.ts'),
} as const satisfies ExportFormat
