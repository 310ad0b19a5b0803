/** What some jobs used, and how it went with them. The definitions are in `docs/figures.md`. */
import { type Job, jobRuntime } from '../job.ts'
import { Sample, type SampleBudget } from './sample.ts'

/** Resources that a job holds. */
export interface HeldResources {
  readonly nnodes: number
  readonly ncores: number
  readonly ngpus: number
}

/** The figures of some jobs. */
export class JobFigures {
  jobCount = 0
  /** As `flux jobs --stats` counts: jobs with the result FAILED, not those that timed out or were canceled. */
  failedCount = 0
  canceledCount = 0
  timeoutCount = 0
  nodeSeconds = 0
  coreSeconds = 0
  gpuSeconds = 0
  /** Seconds from submission to allocation, of the jobs that were allocated. */
  readonly wait: Sample
  /** Seconds from RUN to CLEANUP, of the jobs that ran and have ended. */
  readonly runtime: Sample

  constructor(budget?: SampleBudget) {
    this.wait = new Sample(budget)
    this.runtime = new Sample(budget)
  }

  /** Count a job. This does not add the time for which it held its resources. */
  count(job: Job): void {
    this.jobCount++
    if (job.result === 'FAILED') this.failedCount++
    else if (job.result === 'CANCELED') this.canceledCount++
    else if (job.result === 'TIMEOUT') this.timeoutCount++
    const { t_submit, t_alloc } = job
    // Clocks may be set back.
    if (t_submit !== undefined && t_alloc !== undefined) this.wait.add(Math.max(0, t_alloc - t_submit))
    const runtime = jobRuntime(job)
    if (runtime !== undefined) this.runtime.add(Math.max(0, runtime))
  }

  /** Add resources that were held for some time. */
  addHeld({ nnodes, ncores, ngpus }: HeldResources, seconds: number): void {
    this.nodeSeconds += nnodes * seconds
    this.coreSeconds += ncores * seconds
    this.gpuSeconds += ngpus * seconds
  }

  /** Release the memory of the samples at once. No percentile may be asked for from then on. */
  release(): void {
    this.wait.release()
    this.runtime.release()
  }

  /** False when a percentile may be 1 % off. */
  get isExact(): boolean {
    return this.wait.isExact && this.runtime.isExact
  }
}

/** The figures as they are printed with `--json`: hours and seconds, to the millisecond. */
export function figuresJson(figures: JobFigures): Readonly<Record<string, unknown>> {
  const { jobCount, failedCount, canceledCount, timeoutCount, wait, runtime } = figures
  return {
    jobCount,
    failedCount,
    canceledCount,
    timeoutCount,
    nodeHours: hours(figures.nodeSeconds),
    coreHours: hours(figures.coreSeconds),
    gpuHours: hours(figures.gpuSeconds),
    wait: { median: rounded(wait.quantile(0.5)), p95: rounded(wait.quantile(0.95)) },
    runtime: {
      median: rounded(runtime.quantile(0.5)),
      p95: rounded(runtime.quantile(0.95)),
      sum: rounded(runtime.sum),
    },
  }
}

/** To a millionth of an hour, a few milliseconds. */
function hours(seconds: number): number {
  return Math.round((seconds / 3600) * 1e6) / 1e6
}

function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000) / 1000
}
