import type { ExportFormat } from '../format.ts'

/** An SQLite database with the tables `jobs`, `events` and `job_nodes`. */
export const sqlite = {
  name: 'sqlite',
  extensions: ['.sqlite', '.db'],
  appends: true,
  write: () => import('./writer.ts'),
} as const satisfies ExportFormat
