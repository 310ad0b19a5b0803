/** Elements of the page. Names of users, jobs and keys only ever become text or values of attributes. */

type Attributes = Readonly<Record<string, string | number | null>>
type Child = Node | string

const SVG = 'http://www.w3.org/2000/svg'

/** Make an element of HTML. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children)
}

/** Make an element of SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag), attributes, children)
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, typeof value === 'number' ? String(round(value)) : value)
  }
  element.append(...children)
  return element
}

const round = (value: number) => Math.round(value * 100) / 100

let canvas: CanvasRenderingContext2D | null = null

/** Width of a text in the font of the charts. @param fontSize - in pixels */
export function textWidth(text: string, fontSize: number): number {
  canvas ??= document.createElement('canvas').getContext('2d')
  if (canvas === null) return text.length * fontSize * 0.6
  canvas.font = `${fontSize}px ${getComputedStyle(document.body).fontFamily}`
  return canvas.measureText(text).width
}

/** How much wider a strong text is. */
export const STRONG = 1.12

/** A text that is cut, with an ellipsis, to fit a width in pixels. Empty when not even a few letters fit. */
export function fitted(text: string, width: number, fontSize: number): string {
  if (width <= 0) return ''
  if (text.length * fontSize < width || textWidth(text, fontSize) <= width) return text
  let [low, high] = [0, text.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (textWidth(`${text.slice(0, middle)}…`, fontSize) <= width) low = middle
    else high = middle - 1
  }
  return low < 2 ? '' : `${text.slice(0, low).replace(/[\ud800-\udbff]$/, '')}…`
}
