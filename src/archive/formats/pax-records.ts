/** Encodes the records of pax extended headers (POSIX pax(1), "pax Extended Header"). */

/** Encode records as `LENGTH KEYWORD=VALUE`, each ended by a newline, in UTF-8. LENGTH includes its own digits. */
export function encodePax(records: Iterable<readonly [keyword: string, value: string]>): Buffer {
  return Buffer.concat(Array.from(records, ([keyword, value]) => record(keyword, value)))
}

function record(keyword: string, value: string): Buffer {
  const rest = Buffer.from(` ${keyword}=${value}\n`)
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}
