/** The texts that the tests expect: literals and regular expressions in `test/`, without the names of the tests. */
import * as ts from 'typescript/unstable/ast'
import { type Message, ROOT, type Sources, WORD } from './messages.ts'

/**
 * How many words one after another tell a text from others. A message is said to be expected when a test has so many words
 * of it one after another, and no other message has these.
 */
const WORDS = 4

/** The messages that no test expects. */
export function unexpectedMessages(messages: readonly Message[], expected: readonly string[]): Message[] {
  const known = new Set(expected.flatMap((text) => [1, 2, 3, WORDS].flatMap((count) => runsOf(text, count))))
  /** The texts that have a run of words. */
  const having = new Map<string, Set<string>>()
  for (const { parts } of messages) {
    for (const run of runs(parts)) having.set(run, (having.get(run) ?? new Set()).add(parts.join('\0')))
  }
  return messages.filter(({ parts }) => {
    const all = runs(parts)
    const own = all.filter((run) => having.get(run)?.size === 1)
    return !(own.length > 0 ? own : all).some((run) => known.has(run))
  })
}

/** The runs of {@link WORDS} words in what is constant in a message, or of as many as there are. */
function runs(parts: readonly string[]): string[] {
  const longest = Math.max(...parts.map((part) => wordsOf(part).length))
  return parts.flatMap((part) => runsOf(part, Math.min(longest, WORDS)))
}

function runsOf(text: string, count: number): string[] {
  const words = wordsOf(text)
  return words.slice(count - 1).map((_, at) => words.slice(at, at + count).join(' '))
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? []
}

/** All literals of the tests, each part of a template and each constant part of a regular expression for itself. */
export function expectedTexts(sources: Sources): string[] {
  const texts: string[] = []
  const add = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) texts.push(node.text)
    else if (ts.isTemplateExpression(node)) texts.push(node.head.text)
    else if (ts.isTemplateSpan(node)) texts.push(node.literal.text)
    else if (ts.isRegularExpressionLiteral(node)) texts.push(...constantParts(node.text))
    const isNamed = ts.isCallExpression(node) && /^(?:context|describe|it)$/.test(node.expression.getText())
    if (isNamed) for (const argument of node.arguments.slice(1)) add(argument)
    else node.forEachChild(add)
  }
  for (const source of sources.below('test/')) if (!source.fileName.startsWith(OWN)) add(source)
  return texts
}

/** What stands in no test and is no expectation: the exceptions. */
const OWN = `${ROOT}test/lint/`

/** The parts of a regular expression that match themselves. */
function constantParts(regExp: string): string[] {
  const pattern = regExp.slice(1, regExp.lastIndexOf('/'))
  const variable =
    /\\([^bdDnsSwW])|\\[bdDnsSwW]|(?:\.|\[(?:\\.|[^\]])*\])(?:[*+?]|\{[\d,]*\})?\??|\((?:\?[:=!])?|[)|^$]/g
  return pattern.replace(variable, (_, escaped = '\0') => escaped).split('\0')
}
