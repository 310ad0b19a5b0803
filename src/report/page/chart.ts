/** What all charts have: their frame, axes, marks that the keyboard reaches, and drawing anew when the width changes. */
import { svg } from './dom.ts'
import { showTips } from './tip.ts'

/** Where a chart is drawn. */
export interface Frame {
  /** Pixels. */
  readonly width: number
  /** Pixels of the text of axes and labels. */
  readonly font: number
}

/** A drawing: what it shows is named by the title of its figure. */
export interface Drawing {
  readonly height: number
  readonly parts: readonly SVGElement[]
}

/** Draws a chart for a frame. */
export type Draw = (frame: Frame) => Drawing

/** Narrower is scrolled to the side. */
const LEAST_WIDTH = 240
/** Width on paper, in pixels; browsers scale it. */
const PAPER_WIDTH = 700

const redraws = new Set<(width?: number) => void>()

/** Draw a chart in its place, and again whenever its width changes. @returns draws it again, as after a click */
export function mount(plot: HTMLElement, draw: Draw): () => void {
  const title = plot.closest('figure')?.querySelector('h3')?.textContent ?? ''
  let shown = 0
  const redraw = (given?: number) => {
    const width = Math.max(LEAST_WIDTH, Math.floor(given ?? plot.clientWidth))
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16
    const marks = marksOf(plot)
    const focused = marks.indexOf(document.activeElement as SVGElement)
    const { height, parts } = draw({ width, font: Math.round(rem * 0.75 * 10) / 10 })
    const chart = svg(
      'svg',
      {
        viewBox: `0 0 ${width} ${Math.ceil(height)}`,
        width,
        height: Math.ceil(height),
        role: 'group',
        'aria-label': title,
      },
      ...parts,
    )
    shown = width
    plot.querySelector(':scope > svg')?.remove()
    plot.append(chart)
    const next = marksOf(plot)
    for (const [i, mark] of next.entries()) mark.setAttribute('tabindex', i === Math.max(0, focused) ? '0' : '-1')
    if (focused >= 0) next[Math.min(focused, next.length - 1)]?.focus()
  }
  redraw()
  redraws.add(redraw)
  new ResizeObserver(() => {
    if (!isPrinting && Math.abs(Math.max(LEAST_WIDTH, plot.clientWidth) - shown) >= 1) redraw()
  }).observe(plot)
  showTips(plot)
  plot.addEventListener('keydown', moveBetweenMarks)
  return () => redraw()
}

let isPrinting = false

/** Draw all charts for paper while the page is printed. */
export function followPrinting(): void {
  window.addEventListener('beforeprint', () => {
    isPrinting = true
    for (const redraw of redraws) redraw(PAPER_WIDTH)
  })
  window.addEventListener('afterprint', () => {
    isPrinting = false
    for (const redraw of redraws) redraw()
  })
}

/** The marks that the keyboard reaches. A chart is one stop of the tab key; arrows go from mark to mark. */
export function marksOf(plot: Element): SVGElement[] {
  return [...plot.querySelectorAll<SVGElement>('[data-mark]')]
}

/** A mark that the keyboard reaches. @param role - `img`, or `button` for one that does something */
export function mark(attributes: Record<string, string | number | null>, ...children: SVGElement[]): SVGGElement {
  return svg('g', { 'data-mark': '', role: 'img', tabindex: '-1', ...attributes }, ...children)
}

const STEPS: Readonly<Record<string, (at: number, all: number) => number>> = {
  ArrowRight: (at) => at + 1,
  ArrowDown: (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  ArrowUp: (at) => at - 1,
  Home: () => 0,
  End: (_, all) => all - 1,
}

function moveBetweenMarks(event: KeyboardEvent): void {
  const step = STEPS[event.key]
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  const marks = marksOf(event.currentTarget as Element)
  const at = marks.indexOf(document.activeElement as SVGElement)
  if (at < 0) return
  event.preventDefault()
  const next = marks[Math.max(0, Math.min(marks.length - 1, step(at, marks.length)))]
  marks[at]?.setAttribute('tabindex', '-1')
  next?.setAttribute('tabindex', '0')
  next?.focus()
}

/** A linear scale. */
export function linear(from: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const [a, b] = from
  const [c, d] = to
  return b === a ? () => (c + d) / 2 : (value) => c + ((value - a) / (b - a)) * (d - c)
}

/** A text of an axis or a label. */
export function label(
  x: number,
  y: number,
  text: string,
  attributes: Record<string, string | number> = {},
): SVGTextElement {
  return svg('text', { x, y, class: 'label', ...attributes }, text)
}

/** Horizontal lines with their values. */
export function valueAxis(
  values: readonly number[],
  y: (value: number) => number,
  { left, right, text, font }: { left: number; right: number; text: (value: number) => string; font: number },
): SVGElement[] {
  return values.flatMap((value) => [
    svg('line', { class: value === 0 ? 'base' : 'grid', x1: left, x2: right, y1: y(value), y2: y(value) }),
    label(left - 6, y(value) + font * 0.35, text(value), { 'text-anchor': 'end' }),
  ])
}
