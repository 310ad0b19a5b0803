export { gatherReport } from './gather.ts'
export type { ReportOptions, ReportSource, UserNames } from './options.ts'
export { renderPage } from './page-file.ts'
export { isPageStart, PAGE_START_BYTES } from './page-marker.ts'
export type {
  ReportComparison,
  ReportData,
  ReportDelta,
  ReportEvents,
  ReportFigures,
  ReportFinding,
  ReportGroup,
  ReportHealth,
  ReportHistogram,
  ReportJob,
  ReportNodeRow,
  ReportNodes,
  ReportPeriod,
  ReportRoom,
  ReportSnapshot,
  ReportTreeNode,
  ReportWork,
} from './report-data.ts'
export type { ReportTextOptions } from './text/page.ts'
export { reportText } from './text/report-text.ts'
