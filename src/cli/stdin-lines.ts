import { createInterface } from 'node:readline'

/** The lines of standard input, without newlines. */
export async function* stdinLines(): AsyncGenerator<string, void, void> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) yield line
}
