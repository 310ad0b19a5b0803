import type { Block, Page } from './page.ts'

/** Width of running text in columns, before escaping. */
const LINE = 72

/**
 * A manual page in the language of man(7), for groff and mandoc, in ASCII.
 *
 * @param source - package and version: `flux-ts 0.1.0`
 * @param date - `2026-01-31`
 * @param seeAlso - names of other pages of section 1
 */
export function roffPage(page: Page, source: string, date: string, seeAlso: readonly string[] = []): string {
  const { name, summary, synopsis, sections } = page
  const lines = [
    `.TH ${argument(name.toUpperCase())} 1 "${date}" ${argument(source)} "User Commands"`,
    '.SH NAME',
    `${text(name)} \\- ${text(summary)}`,
    '.SH SYNOPSIS',
    `.B ${text(synopsis)}`,
    ...sections.flatMap(({ heading, blocks }) => [
      `.SH ${argument(heading)}`,
      ...withoutFirstBreak(blocks.flatMap(block)),
    ]),
  ]
  if (seeAlso.length > 0) {
    lines.push('.SH "SEE ALSO"')
    lines.push(...seeAlso.map((other, i) => `.BR ${text(other)} (1)${i < seeAlso.length - 1 ? ',' : ''}`))
  }
  return `${lines.join('\n')}\n`
}

/** A heading already starts a paragraph. */
function withoutFirstBreak(lines: string[]): string[] {
  return lines[0] === '.PP' ? lines.slice(1) : lines
}

function block(item: Block): string[] {
  switch (item.kind) {
    case 'paragraph':
      return ['.PP', ...body(item.text)]
    case 'subheading':
      return [`.SS ${argument(item.text)}`]
    case 'definition': {
      const [first = '', ...more] = item.texts
      return ['.TP', `.B ${text(item.term)}`, ...body(first), ...more.flatMap((each) => ['.IP', ...body(each)])]
    }
    case 'example':
      return ['.PP', ...body(item.text), '.PP', '.RS 4', '.nf', text(item.command), '.fi', '.RE']
  }
}

/** Running text, wrapped into lines of {@link LINE} columns. */
function body(paragraph: string): string[] {
  const lines: string[] = []
  for (const word of paragraph.split(/\s+/).filter((each) => each !== '')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < LINE) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map(text)
}

/** An argument of a macro. */
function argument(value: string): string {
  return `"${text(value).replaceAll('"', '\\(dq')}"`
}

/**
 * Escape a line, so that roff prints it unchanged. A bare `-` may be printed as another character, which cannot be
 * pasted into a shell. A dot or an apostrophe at the start would be a request.
 */
function text(line: string): string {
  const escaped = line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll(/[^\x20-\x7e]/gu, (char) => `\\[u${char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped
}
