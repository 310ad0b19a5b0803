/** The lines of standard input, without newlines. */
export async function* stdinLines(): AsyncGenerator<string, void, void> {
  // Loaded here, because few commands read standard input.
  const { createInterface } = await import('node:readline')
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) yield line
}
