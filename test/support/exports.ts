/** Exports of snapshots that tests make, and what is in them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Export, type ExportCounts, type ExportOptions } from '../../src/export/index.ts'
import { type JobsOptions, jobs } from '../../src/inspect/index.ts'
import type { SnapshotRoot } from '../../src/kvs/index.ts'
import { type JobMade, jobsSnapshot } from './job-trees.ts'

export async function exportSnapshot(
  snapshot: SnapshotRoot,
  options: ExportOptions,
  selection: JobsOptions = {},
): Promise<ExportCounts> {
  await using exporting = await Export.open({ usernameOf: (userid) => `user${userid}`, ...options })
  for await (const batch of jobs(snapshot, { ...selection, keepRecords: true })) await exporting.add(batch)
  return await exporting.commit()
}

/** Export the jobs of an instance that has these. */
export function exportJobs(path: string, made: readonly JobMade[], options: Partial<ExportOptions> = {}) {
  return exportSnapshot(jobsSnapshot(made), { path, ...options })
}

/** The rows of a query. */
export function rows(path: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    db.close()
  }
}

/** All of a database, table by table. */
export function tables(path: string): Record<string, unknown[]> {
  const names = ['jobs', 'events', 'job_nodes']
  return Object.fromEntries(names.map((name) => [name, rows(path, `SELECT * FROM ${name} ORDER BY 1, 2, 3`)]))
}

/** The names in the directory of a Parquet export, without hidden ones. */
export function dayFiles(path: string): string[] {
  return readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .sort()
}

/** A Parquet file, or all of a directory, as DuckDB reads it. */
export async function duckRows(sql: string): Promise<Record<string, unknown>[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The text for a SQL statement that names the files of a Parquet export. */
export function parquetFiles(path: string): string {
  return `'${join(path, '*.parquet')}'`
}
