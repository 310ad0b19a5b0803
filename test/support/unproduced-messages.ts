/**
 * The messages in `src/` that no test has produced, by V8's counts of blocks: the places that make an error or a warning, and
 * the texts of messages, that no process of the tests has run.
 */
import type { Message } from './messages.ts'

/** What makes a message for users. */
const MAKES_MESSAGE =
  /\bnew (?!Interrupted)[A-Z]\w*Error\(|\b(?:limitError|FluxError\.fromSystem|fromSystem)\(|\.warn\(|\bonWarning\??\.?\(/g

/** V8's counts for a function. */
export interface FunctionCounts {
  ranges: { startOffset: number; endOffset: number; count: number }[]
}

/** The places in a file without its types. @param functions - V8's counts for the file; none when nothing has loaded it */
export function unproducedMessages(text: string, functions: readonly FunctionCounts[] = []) {
  const found: { line: number; text: string }[] = []
  for (const { index } of code(text).matchAll(MAKES_MESSAGE)) {
    if (timesRun(index, functions) > 0) continue
    const line = text.slice(0, index).split('\n').length
    found.push({ line, text: text.slice(index, index + 160).replaceAll(/\s+/g, ' ') })
  }
  return found
}

/** A text whose comments are blanks. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => ' '.repeat(comment.length))
}

/** The texts of messages in a file that no process has come to. @param functions - V8's counts for the file */
export function unproducedTexts(messages: readonly Message[], functions: readonly FunctionCounts[] = []): Message[] {
  return messages.filter(({ offset }) => timesRun(offset, functions) === 0)
}

/** How often the smallest block around a place has run. */
function timesRun(offset: number, functions: readonly FunctionCounts[]): number {
  let smallest = Number.POSITIVE_INFINITY
  let times = 0
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      if (offset < startOffset || offset >= endOffset || endOffset - startOffset >= smallest) continue
      smallest = endOffset - startOffset
      times = count
    }
  }
  return times
}
