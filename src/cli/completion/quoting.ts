/** A text as one word of a shell: bash, zsh and fish agree on it, since no backslash is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '/').replaceAll("'", '’')}'`
}

/** The name of a tool as part of a function's name. */
export function functionName(bin: string): string {
  return bin.replaceAll(/\W/g, '_')
}
