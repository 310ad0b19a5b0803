export { COLUMNS, type Column, type ColumnType } from './columns.ts'
export { checkedFormat, EXPORT_FORMAT_NAMES, Export, type ExportOptions } from './export.ts'
export type { ExportCounts } from './merge.ts'
export type { Print } from './text-writer.ts'
