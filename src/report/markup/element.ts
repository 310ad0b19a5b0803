/**
 * HTML as a tree that is written as text at the end. Names of users, jobs and keys are hostile: they are only ever text or
 * values of attributes, and {@link htmlText} escapes both. Names of elements and attributes are constants of this room.
 */

/** Something that a page may hold. Arrays are put in line; null is nothing. */
export type Markup = string | number | HtmlElement | null | readonly Markup[]

/** An element. */
export interface HtmlElement {
  readonly tag: string
  readonly attributes: Attributes
  readonly children: readonly Markup[]
}

/** Attributes by name; false and null leave one out, true gives it no value. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>

/** Make an element. */
export function h(tag: string, attributes: Attributes = {}, ...children: Markup[]): HtmlElement {
  return { tag, attributes, children }
}

/** The text of a tree. */
export function htmlText(markup: Markup): string {
  const parts: string[] = []
  write(markup, parts)
  return parts.join('')
}

/** Elements that have no end tag. */
const VOID = new Set(['br', 'meta'])

function write(markup: Markup, parts: string[]): void {
  if (markup === null) return
  if (typeof markup === 'string' || typeof markup === 'number') {
    parts.push(escapeHtml(String(markup)))
  } else if (isList(markup)) {
    for (const part of markup) write(part, parts)
  } else {
    const { tag, attributes, children } = markup
    parts.push('<', tag)
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === false) continue
      parts.push(' ', name)
      if (value !== true) parts.push('="', escapeHtml(String(value)), '"')
    }
    parts.push('>')
    write(children, parts)
    if (!VOID.has(tag)) parts.push('</', tag, '>')
  }
}

const isList = (markup: Markup): markup is readonly Markup[] => Array.isArray(markup)

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string) : text
}
