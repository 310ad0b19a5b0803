export type { ChosenRoot, LostKey, RescuedJob, RescueReport } from './report.ts'
export { reportJson } from './report-json.ts'
export { reportLines } from './report-text.ts'
export { type RescueOptions, rescue } from './rescue.ts'
