const SPECIAL = /[",\r\n]/

/** A line of comma-separated values, with its end. @see RFC 4180 */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map((field) => (SPECIAL.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')}\r\n`
}
