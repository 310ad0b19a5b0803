/** The tooltip: what a mark of a chart stands for, shown when the pointer is over it or the keyboard reaches it. */
import { html } from './dom.ts'

/** What a mark stands for. */
export interface Told {
  readonly title: string
  readonly rows: readonly (readonly [label: string, value: string])[]
}

const told = new WeakMap<Element, Told>()
let box: HTMLElement | undefined
/** The mark whose tooltip the keyboard has opened: it stays with the mark when the page scrolls to it. */
let reached: Element | undefined

/** Say what a mark stands for. Screen readers get it as the name of the mark. */
export function tell<E extends Element>(mark: E, content: Told): E {
  showOver(mark, content)
  const rows = content.rows.map(([label, value]) => (label === '' ? value : `${label} ${value}`))
  mark.setAttribute('aria-label', [content.title, ...rows].join(', '))
  return mark
}

/** Show a tooltip when the pointer is over an element, which has no name of its own for screen readers. */
export function showOver(element: Element, content: Told): void {
  told.set(element, content)
}

/** Show the tooltips of the marks in a chart. */
export function showTips(chart: Element): void {
  const marked = (target: EventTarget | null) => {
    for (let at = target instanceof Element ? target : null; at !== null && at !== chart; at = at.parentElement) {
      if (told.has(at)) return at
    }
    return undefined
  }
  chart.addEventListener('pointermove', (event) => {
    const { clientX, clientY, movementX, movementY } = event as PointerEvent
    // A page that scrolls moves below a pointer that rests.
    if (reached !== undefined && movementX === 0 && movementY === 0) return
    const mark = marked(event.target)
    reached = undefined
    if (mark === undefined) hideTip()
    else showTip(mark, clientX, clientY)
  })
  chart.addEventListener('pointerleave', () => reached === undefined && hideTip())
  chart.addEventListener('focusin', (event) => {
    const mark = marked(event.target)
    if (mark === undefined || !mark.matches(':focus-visible')) return
    reached = mark
    showBeside(mark)
  })
  chart.addEventListener('focusout', hideTip)
}

function showBeside(mark: Element): void {
  const { left, width, top, height } = mark.getBoundingClientRect()
  showTip(mark, left + width / 2, top + Math.min(height, 40))
}

function showTip(mark: Element, x: number, y: number): void {
  const content = told.get(mark)
  if (content === undefined) return
  if (box === undefined) {
    box = html('div', { class: 'tip', 'aria-hidden': 'true' })
    document.body.append(box)
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && hideTip())
    const follow = () => (reached === undefined ? hideTip() : showBeside(reached))
    document.addEventListener('scroll', follow, { passive: true, capture: true })
  }
  const rows = content.rows.map(([label, value]) =>
    html('div', {}, html('dt', {}, label), html('dd', {}, html('bdi', {}, value))),
  )
  box.replaceChildren(html('strong', {}, html('bdi', {}, content.title)), html('dl', {}, ...rows))
  box.hidden = false
  const { width, height } = box.getBoundingClientRect()
  const { clientWidth, clientHeight } = document.documentElement
  const left = x + 14 + width > clientWidth ? x - 14 - width : x + 14
  const top = y + 14 + height > clientHeight ? y - 14 - height : y + 14
  box.style.left = `${Math.max(4, Math.min(left, clientWidth - width - 4))}px`
  box.style.top = `${Math.max(4, top)}px`
}

function hideTip(): void {
  reached = undefined
  if (box !== undefined) box.hidden = true
}
