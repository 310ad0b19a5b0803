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
    ...(userid === undefined ? {} : { userid, username: username(userid) }),
    name,
    state,
    problems,
  })
  return {
    store: report.store,
    outputDirectory: report.out,
    time: isoTime(report.time),
    steps: report.steps,
    chosen: {
      rootref: chosen.rootref,
      checkpointIndex: chosen.checkpointIndex,
      timestamp: chosen.timestamp,
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
    drained: report.drained,
    ...(highestJobid === undefined ? {} : { highestJobid: formatJobid(highestJobid) }),
    isJobidRaised: report.isJobidRaised,
    ...(newer === undefined ? {} : { newer: { ...newer, jobCount: newer.jobs, jobs: undefined } }),
    problems: report.problems,
    replaced: report.replaced,
    next: report.next,
  }
}
