import { printable } from '../errors/index.ts'

/** The name of an archive in messages. */
export function nameOfArchive(infile: string): string {
  return infile === '-' ? 'standard input' : printable(infile)
}
