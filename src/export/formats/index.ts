/** All formats of exports, in the order of the help text. */
import { csv } from './csv/index.ts'
import { ndjson } from './ndjson/index.ts'
import { parquet } from './parquet/index.ts'
import { sqlite } from './sqlite/index.ts'

export type { ExportFormat, ExportTarget, JobsText, JobsWriter } from './format.ts'

export const EXPORT_FORMATS = [sqlite, csv, ndjson, parquet] as const
