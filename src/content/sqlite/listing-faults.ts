/** Tells whether the table of a `content.sqlite` has rows that a list of its blobs lacks. */
import type { DatabaseSync } from 'node:sqlite'
import type { ObjectIndex } from './object-index.ts'

const INDEX = 'index of hashes'
const TABLE = 'table "objects"'

/**
 * What is wrong with a table and its hash index as a whole: blobs that they do not name are not found by looking at each.
 * All of their pages are read, except those of large blobs.
 *
 * @param index - all objects of the database
 * @returns in words, each the end of a sentence that names the store; empty when the two have the same number of rows
 */
export function listingFaults(db: DatabaseSync, index: ObjectIndex): string[] {
  if (index.lost > 0) return [`part of its ${TABLE} and of its ${INDEX} cannot be read, and the blobs in it are lost`]
  if (index.isDamaged) return [`part of its ${INDEX} cannot be read`]
  const rows = countOf(db, 'NOT INDEXED')
  const entries = countOf(db, 'INDEXED BY sqlite_autoindex_objects_1')
  if (rows === undefined) return [`part of its ${TABLE} cannot be read`]
  if (entries === undefined) return [`part of its ${INDEX} cannot be read`]
  return rows === entries ? [] : [`its ${TABLE} has ${rows} rows, and its ${INDEX} has ${entries}`]
}

/** @returns undefined when they cannot be counted */
function countOf(db: DatabaseSync, source: string): number | undefined {
  try {
    return Number(db.prepare(`SELECT count(*) AS rows FROM objects ${source}`).get()?.rows)
  } catch {
    return undefined
  }
}
