/**
 * Text as one word for bash, zsh and fish. They quote backslashes and apostrophes differently, so these are replaced by
 * similar characters.
 */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '/').replaceAll("'", '’')}'`
}

/** The name of a tool as part of the name of a shell function. */
export function functionName(bin: string): string {
  return bin.replaceAll(/\W/g, '_')
}
