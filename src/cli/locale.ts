/**
 * True when the environment says that text is in UTF-8, as the C library decides it.
 *
 * @see locale(7): LC_ALL, then LC_CTYPE, then LANG
 */
export function isUtf8Locale(env: NodeJS.ProcessEnv = process.env): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return /utf-?8/i.test(locale)
}
