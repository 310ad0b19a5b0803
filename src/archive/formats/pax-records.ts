/** Encodes the records of pax extended headers (POSIX pax(1), "pax Extended Header"). */

/** Each as `LENGTH KEYWORD=VALUE\n` in UTF-8, where LENGTH counts itself. */
export function encodePax(records: Iterable<readonly [keyword: string, value: string]>): Buffer {
  return Buffer.concat(Array.from(records, ([keyword, value]) => record(keyword, value)))
}

function record(keyword: string, value: string): Buffer {
  const rest = Buffer.from(` ${keyword}=${value}\n`)
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}
