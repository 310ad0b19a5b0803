/**
 * What a report shows: aggregated figures, so that its size does not grow with the number of jobs. `--json` prints this,
 * the page in the browser draws it, and `--text` writes it as text. Times are seconds since 1970, durations are seconds,
 * sizes are bytes. A member that is not known is null.
 */

/** All that a report shows. */
export interface ReportData {
  /** Version of this form. */
  readonly version: 1
  /** Name and version of the program that made it. */
  readonly tool: string
  /** When the report was made. */
  readonly created: number
  /** True when users, jobs and hosts have tokens in place of their names. */
  readonly redacted: boolean
  readonly snapshot: ReportSnapshot
  readonly health: ReportHealth
  readonly room: ReportRoom
  readonly work: ReportWork
  readonly nodes: ReportNodes
  readonly events: ReportEvents
  /** What could not be read, a line each; {@link ReportData.warningCount} may be higher. */
  readonly warnings: readonly string[]
  readonly warningCount: number
  /** What has changed since another snapshot; null without one. */
  readonly comparison: ReportComparison | null
}

/** The snapshot that was read. */
export interface ReportSnapshot {
  /** As a person names it: a path, a URI, an archive. */
  readonly source: string
  /** `sqlite`, `files`, `archive`, `broker` or the like. */
  readonly kind: string
  readonly rootref: string
  /** How commands name it, each as a shell takes it; null in a redacted report. */
  readonly arguments: {
    /** Flags that name the store: `--store /var/lib/flux`. */
    readonly store: string
    /** Flags that name the root, if it is not the usual one: `--checkpoint-index 1`. */
    readonly root: string
    /** The one word by which `diff` and `report` name it: `/var/lib/flux@1`. */
    readonly source: string
  } | null
  readonly hash: string
  readonly sequence: number | null
  /** When the snapshot was taken. */
  readonly timestamp: number | null
  readonly namespace: string
  /** Namespaces that the store tells of: the primary one and those of running jobs. */
  readonly namespaces: readonly { readonly name: string; readonly owner: number | null; readonly rootref: string }[]
  /** Flux versions that eventlogs name, oldest first. */
  readonly versions: readonly string[]
  /** Nodes of the instance, from its resource records. */
  readonly nodeCount: number | null
  readonly coreCount: number | null
  readonly gpuCount: number | null
}

/** Is it healthy. */
export interface ReportHealth {
  /** The check of this snapshot, as `fsck` counts. */
  readonly fsck: {
    readonly directories: number
    readonly values: number
    readonly symlinks: number
    readonly blobs: number
    readonly errors: number
    /** The first damaged keys. */
    readonly damaged: readonly { readonly key: string; readonly kind: string; readonly message: string }[]
  }
  /** Newest first. */
  readonly checkpoints: readonly {
    readonly rootref: string
    readonly sequence: number | null
    readonly timestamp: number
    readonly errors: number | null
  }[]
  /** As `content stats --reachable` counts; null for a source that is no store on disk. */
  readonly content: {
    readonly objects: number
    readonly bytes: number
    readonly storedBytes: number
    readonly garbageObjects: number
    readonly garbageBytes: number
    readonly garbageStoredBytes: number
    readonly fileBytes: number | null
    readonly freePages: number | null
    readonly pageSize: number | null
  } | null
  /** Values that the rc script of Flux would drop at the next restore (`flux restore --size-limit=100M`). */
  readonly oversized: {
    readonly limit: number
    readonly count: number
    readonly keys: readonly { readonly key: string; readonly bytes: number }[]
  }
  /** Findings in words, worst first. */
  readonly findings: readonly ReportFinding[]
}

/** One line of a judgement. */
export interface ReportFinding {
  readonly level: 'good' | 'notice' | 'bad'
  readonly text: string
  /** The command that tells more. */
  readonly command: string | null
}

/** What takes the room. */
export interface ReportRoom {
  /** As `du` counts: each blob once for each reference, and once. */
  readonly bytes: number
  readonly onceBytes: number
  readonly valueBytes: number
  readonly keys: number
  readonly dirs: number
  /** The tree, folded: small parts are joined in a node named by its `folded` count. */
  readonly tree: ReportTreeNode
  /** Kinds of records: `J`, `jobspec`, `R`, `eventlog`, `guest output`, `directories`, ... most bytes first. */
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[]
  readonly largest: readonly { readonly key: string; readonly bytes: number }[]
}

/** A directory, or several small ones joined. */
export interface ReportTreeNode {
  /** The last component of the key; `.` for the root. */
  readonly name: string
  readonly bytes: number
  readonly keys: number
  /** How many directories and values were joined into this node; 0 for one directory. */
  readonly folded: number
  readonly children: readonly ReportTreeNode[]
}

/** What the machine did. */
export interface ReportWork {
  /** The figures of all jobs, as `jobs stats` prints them. */
  readonly total: ReportFigures
  readonly unit: 'hour' | 'day' | 'week' | 'month'
  /** Jobs that ended, by period of UTC and result, without gaps. */
  readonly periods: readonly ReportPeriod[]
  /** Jobs that have not ended, by state. */
  readonly states: readonly { readonly state: string; readonly count: number }[]
  readonly results: readonly { readonly result: string; readonly count: number }[]
  readonly wait: ReportHistogram
  readonly runtime: ReportHistogram
  /** Most node-hours first; the rest joined in a row whose name is null and whose `folded` says how many. */
  readonly users: readonly ReportGroup[]
  readonly queues: readonly ReportGroup[]
  readonly banks: readonly ReportGroup[]
  readonly sizes: readonly ReportGroup[]
  readonly longest: readonly ReportJob[]
  /** Names of jobs that failed most often. */
  readonly mostFailed: readonly { readonly name: string; readonly failed: number; readonly jobs: number }[]
}

/** The figures of `jobs stats --json`. */
export interface ReportFigures {
  readonly jobCount: number
  readonly failedCount: number
  readonly canceledCount: number
  readonly timeoutCount: number
  readonly nodeHours: number
  readonly coreHours: number
  readonly gpuHours: number
  readonly wait: { readonly median: number | null; readonly p95: number | null }
  readonly runtime: { readonly median: number | null; readonly p95: number | null; readonly sum: number | null }
}

/** The jobs that ended in a period, and what was held in it. */
export interface ReportPeriod {
  readonly start: number
  readonly end: number
  readonly completed: number
  readonly failed: number
  readonly canceled: number
  readonly timeout: number
  readonly nodeHours: number
  /** Part of the nodes that jobs held, 0 to 1; null when the number of nodes is not known. */
  readonly utilisation: number | null
}

/** Numbers of jobs by duration. */
export interface ReportHistogram {
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[]
  readonly median: number | null
  readonly p95: number | null
}

export interface ReportGroup extends ReportFigures {
  /** null for jobs that have none, or for the row that joins the rest. */
  readonly name: string | null
  readonly folded: number
}

/** One job. */
export interface ReportJob {
  /** In F58. */
  readonly id: string
  readonly name: string | null
  readonly user: string | null
  readonly queue: string | null
  readonly nnodes: number | null
  readonly start: number | null
  readonly runtime: number
  /** Result, or state. */
  readonly status: string
}

/** What the nodes went through. */
export interface ReportNodes {
  /** What the records cover. */
  readonly from: number | null
  readonly to: number | null
  /** Rows with something to show, by rank; many alike are joined, their names a hostlist. */
  readonly rows: readonly ReportNodeRow[]
  /** Nodes with no drain and no time down. */
  readonly quiet: { readonly count: number; readonly hosts: string }
}

/** A node, or several that went through the same. */
export interface ReportNodeRow {
  readonly hosts: string
  readonly ranks: string
  readonly count: number
  readonly spans: readonly {
    readonly state: 'drained' | 'down'
    readonly from: number
    /** null when it lasted to the end. */
    readonly to: number | null
    readonly reason: string | null
  }[]
  readonly nodeHours: number
}

/** What happened to the instance. */
export interface ReportEvents {
  /** Oldest first; the oldest may be left out. */
  readonly list: readonly {
    readonly timestamp: number
    /** `start`, `restart`, `shutdown`, `crash`, `drain`, `undrain`, `up`, `down`, `checkpoint`, ... */
    readonly kind: string
    readonly text: string
  }[]
  readonly left: number
}

/** What came, went and changed since the other snapshot. */
export interface ReportComparison {
  readonly snapshot: ReportSnapshot
  readonly keys: { readonly added: number; readonly removed: number; readonly changed: number; readonly bytes: number }
  /** Rows of a table for each section: a figure then, and now. */
  readonly health: readonly ReportDelta[]
  readonly room: readonly ReportDelta[]
  readonly work: readonly ReportDelta[]
  readonly nodes: readonly ReportDelta[]
  readonly events: readonly ReportDelta[]
}

/** A figure in both snapshots. */
export interface ReportDelta {
  readonly label: string
  readonly unit: 'count' | 'bytes' | 'hours' | 'seconds' | 'time' | 'ratio' | 'text'
  readonly before: number | string | null
  readonly after: number | string | null
}
