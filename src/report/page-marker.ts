/** How the file of a report is told from other files. */

/** Every report has this near its beginning, and nothing else has. */
export const PAGE_MARKER = '<meta name="generator" content="flux-ts report">'

/** Bytes at the beginning of a file that {@link isPageStart} needs to see. */
export const PAGE_START_BYTES = 1024

/** True when a file that begins with this text is a report. */
export function isPageStart(text: string): boolean {
  return text.startsWith('<!doctype html>') && text.includes(PAGE_MARKER)
}
