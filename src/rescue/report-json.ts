/** The report of a rescue as JSON: `report.json`, and what `--json` prints. */
import { isoTime } from '../errors/index.ts'
import { formatJobid } from '../kvs/index.ts'
import type { RescuedJob, RescueReport } from './report.ts'

/** @param username - the name of a user, if it is known */
export function reportJson(report: RescueReport, username: (userid: number) => string | undefined): object {
  const { chosen, written, newer, highestJobid } = report
  const job = ({ id, userid, name, state, problems }: RescuedJob) => ({
    id,
    jobid: formatJobid(id),
    userid: userid ?? null,
    username: (userid === undefined ? undefined : username(userid)) ?? null,
    name: name ?? null,
    state,
    problems,
  })
  return {
    store: report.store,
    outputDirectory: report.out,
    ...timesOf(report.time),
    steps: report.steps,
    chosen: {
      rootref: chosen.rootref,
      checkpointIndex: chosen.checkpointIndex ?? null,
      timestamp: chosen.timestamp ?? null,
      isWhole: chosen.isWhole,
      isSalvaged: chosen.isSalvaged,
    },
    written: { ...written, keyCount: report.keys, blobCount: report.blobs },
    lostKeyCount: report.lostKeyCount,
    lostDirectoryCount: report.lostDirCount,
    lostKeys: report.lostKeys,
    jobCount: report.jobs,
    lostJobs: report.lostJobs.map(job),
    activeJobs: report.activeJobs.map(job),
    lostJobDirectories: report.lostJobDirs,
    drainedNodes: report.drained.map(({ rank, host, since, reason }) => {
      return { rank, host: host ?? null, ...timesOf(since), reason: reason ?? null }
    }),
    highestJobid: highestJobid === undefined ? null : formatJobid(highestJobid),
    isJobidRaised: report.isJobidRaised,
    newer: newer === undefined ? null : { rootref: newer.rootref, ...timesOf(newer.time), jobCount: newer.jobs },
    problems: report.problems,
    replaced: report.replaced ?? null,
    nextCommands: report.next,
  }
}

function timesOf(timestamp: number | undefined): { timestamp: number | null; time: string | null } {
  return timestamp === undefined ? { timestamp: null, time: null } : { timestamp, time: isoTime(timestamp) }
}
