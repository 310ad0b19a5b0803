/** The tables of the database. Its own text has the descriptions of the columns: `.schema` of sqlite3(1) shows them. */
import { COLUMNS, type Column } from '../../columns.ts'

/** "FLUX": tells file(1) and us what the database is. */
export const APPLICATION_ID = 0x464c5558

/** Raised with every change of the tables. Columns that an older file lacks are added to it. */
export const SCHEMA_VERSION = 1

const TYPES: Readonly<Record<Column['type'], string>> = {
  text: 'TEXT',
  integer: 'INTEGER',
  id: 'INTEGER',
  real: 'REAL',
  boolean: 'INTEGER',
  time: 'REAL',
  json: 'TEXT',
  list: 'TEXT',
}

const KEY: ReadonlySet<string> = new Set(['cluster', 'id'])

/** The definition of a column, as for `ALTER TABLE ADD COLUMN`. */
export function definitionOf({ name, type }: Column): string {
  return `"${name}" ${TYPES[type]}${KEY.has(name) ? ' NOT NULL' : ''}`
}

function commentOf({ type, description }: Column): string {
  const units = { boolean: '; 0 or 1', time: '; seconds since 1970', list: '; JSON array' }
  return `-- ${description}${units[type as 'time'] ?? ''}`
}

/** The names of the columns of `jobs`, in their order, for statements. */
export const NAMES = COLUMNS.map(({ name }) => `"${name}"`)

export const TABLES = `
CREATE TABLE jobs (
${COLUMNS.map((column) => `  ${definitionOf(column)}, ${commentOf(column)}`).join('\n')}
  PRIMARY KEY (cluster, id)
);
CREATE TABLE events (
  cluster TEXT NOT NULL,
  id INTEGER NOT NULL, -- of the job
  n INTEGER NOT NULL, -- place in the eventlog, from 0
  timestamp REAL NOT NULL, -- seconds since 1970
  name TEXT NOT NULL,
  context TEXT, -- JSON object
  PRIMARY KEY (cluster, id, n),
  FOREIGN KEY (cluster, id) REFERENCES jobs ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE job_nodes (
  cluster TEXT NOT NULL,
  id INTEGER NOT NULL, -- of the job
  rank INTEGER NOT NULL, -- of the broker on the node
  host TEXT, -- unknown if R does not name a host for each rank
  ncores INTEGER NOT NULL, -- allocated on the node
  ngpus INTEGER NOT NULL, -- allocated on the node
  PRIMARY KEY (cluster, id, rank),
  FOREIGN KEY (cluster, id) REFERENCES jobs ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
`

/** Made last in a new database: that is faster. */
export const INDICES = `
CREATE INDEX IF NOT EXISTS jobs_submit ON jobs (t_submit);
CREATE INDEX IF NOT EXISTS jobs_inactive ON jobs (t_inactive);
CREATE INDEX IF NOT EXISTS jobs_user ON jobs (userid, t_submit);
CREATE INDEX IF NOT EXISTS job_nodes_host ON job_nodes (host);
CREATE INDEX IF NOT EXISTS events_name ON events (name, timestamp);
`

/**
 * The columns of the table `jobs` of flux-accounting, and the jobs that it would take.
 *
 * @see flux-accounting `fluxacct/accounting/create_db.py`, `flux-account-fetch-job-records.py`
 */
export const VIEWS = `
DROP VIEW IF EXISTS accounting_jobs;
CREATE VIEW accounting_jobs AS
  SELECT id, userid, t_submit, t_run, t_inactive, ranks, R, jobspec, coalesce(project, '') AS project,
    coalesce(bank, '') AS bank, duration AS requested_duration, t_inactive - t_run AS actual_duration, cluster, username
  FROM jobs
  WHERE t_run IS NOT NULL AND t_inactive IS NOT NULL AND ranks IS NOT NULL;
`
