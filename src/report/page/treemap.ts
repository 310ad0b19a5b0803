/** The treemap: areas are sizes of directories. A click or Enter goes into one, Escape goes out again. */
import { type HierarchyRectangularNode, hierarchy, treemap } from 'd3-hierarchy'
import { shellWord } from '../../errors/index.ts'
import type { CommandFor } from '../commands.ts'
import { count, percent, size } from '../figures.ts'
import type { ReportTreeNode } from '../report-data.ts'
import { type Draw, label, mark, marksOf, mount } from './chart.ts'
import { fitted, html, STRONG, svg } from './dom.ts'
import { showOver, type Told, tell } from './tip.ts'

/** A node of the two levels that are drawn. */
interface Drawn {
  /** One directory, or several in line of which each holds only the next. */
  readonly name: string
  readonly node: ReportTreeNode
  readonly path: readonly ReportTreeNode[]
  readonly children?: readonly Drawn[]
}

/** Tints of directories, told apart by their borders and names too. */
const TINTS = 6

/** The name of the root. */
const ALL = 'all keys'

/** Draw the treemap with the path to where it is, and keep the table behind it the table of that directory. */
export function mountTreemap(plot: HTMLElement, root: ReportTreeNode, commandFor: CommandFor): void {
  let path: readonly ReportTreeNode[] = [root]
  const crumbs = html('ol')
  const said = html('p', { class: 'unseen', role: 'status' })
  plot.before(html('nav', { class: 'crumbs', 'aria-label': 'Path to the directory in the picture' }, crumbs), said)
  const command = plot.closest('figure')?.querySelector('.command code') ?? null
  const body = plot.closest('figure')?.querySelector('tbody') ?? null

  const goTo = (next: readonly ReportTreeNode[], { keyboard = false, say = true } = {}) => {
    path = next
    crumbs.replaceChildren(...path.map((_, i) => crumb(path.slice(0, i + 1), i === path.length - 1, goTo)))
    if (body !== null) fillTable(body, path)
    if (command !== null) command.textContent = treeCommand(path, commandFor)
    redraw()
    const here = path.at(-1) as ReportTreeNode
    if (say) said.textContent = `${keyOf(path)}: ${size(here.bytes)} in ${count(here.keys)} keys`
    if (keyboard) marksOf(plot)[0]?.focus()
  }
  const zoomOf = new WeakMap<Element, readonly ReportTreeNode[]>()
  const draw: Draw = ({ width, font }) => {
    const height = Math.round(Math.max(width * 0.3, Math.min(width * 0.9, font * 32)))
    return { height, parts: cells(path, root, width, height, font, zoomOf) }
  }
  const redraw = mount(plot, draw)
  const targetOf = (from: EventTarget | null) => {
    for (let at = from instanceof Element ? from : null; at !== null && at !== plot; at = at.parentElement) {
      const target = zoomOf.get(at)
      if (target !== undefined) return target
    }
    return undefined
  }
  plot.addEventListener('click', ({ target }) => {
    const next = targetOf(target)
    if (next !== undefined) goTo(next)
  })
  plot.addEventListener('keydown', (event) => {
    const into = event.key === 'Enter' || event.key === ' ' ? targetOf(event.target) : undefined
    const out = (event.key === 'Escape' || event.key === 'Backspace') && path.length > 1 ? path.slice(0, -1) : undefined
    const next = into ?? out
    if (next === undefined) return
    event.preventDefault()
    goTo(next, { keyboard: true })
  })
  goTo(path, { say: false })
}

/** The command that tells the sizes of what is shown. */
function treeCommand(path: readonly ReportTreeNode[], command: CommandFor): string {
  const directories = path.filter(({ folded }) => folded === 0)
  if (directories.length === 1) return command('du --depth 2')
  const key = keyOf(directories)
  return `${command('du --depth 1')} ${key.startsWith('-') ? '-- ' : ''}${shellWord(key)}`
}

function crumb(
  path: readonly ReportTreeNode[],
  isLast: boolean,
  goTo: (path: readonly ReportTreeNode[]) => void,
): HTMLElement {
  const name = html('bdi', {}, path.length === 1 ? ALL : (path.at(-1)?.name ?? ''))
  if (isLast) return html('li', { 'aria-current': 'true' }, name)
  const button = html('button', { type: 'button' }, name)
  button.addEventListener('click', () => {
    const list = button.closest('ol')
    goTo(path)
    list?.querySelector<HTMLElement>('button:last-of-type, li')?.focus()
  })
  return html('li', {}, button)
}

/** Of a directory that has nothing but another, the other is shown. */
function twoLevels(path: readonly ReportTreeNode[], levels = 2): Drawn {
  let all = path
  let node = path.at(-1) as ReportTreeNode
  let name = node.name
  while (levels < 2 && node.children.length === 1 && node.folded === 0) {
    node = node.children[0] as ReportTreeNode
    all = [...all, node]
    name += `.${node.name}`
  }
  if (levels === 0) return { name, node, path: all }
  return { name, node, path: all, children: node.children.map((child) => twoLevels([...all, child], levels - 1)) }
}

/** The key of a directory. Joined directories are part of the directory above: a key does not name them. */
function keyOf(path: readonly ReportTreeNode[]): string {
  if (path.length === 1) return ALL
  return path
    .filter(({ folded }, i) => i > 0 && (folded === 0 || i === path.length - 1))
    .map(({ name }) => name)
    .join('.')
}

function cells(
  path: readonly ReportTreeNode[],
  root: ReportTreeNode,
  width: number,
  height: number,
  font: number,
  zoomOf: WeakMap<Element, readonly ReportTreeNode[]>,
): SVGElement[] {
  const top = hierarchy<Drawn>(twoLevels(path), ({ children }) => children && [...children])
  // A directory takes its own bytes too, so it is larger than its parts.
  const values = top as unknown as {
    eachAfter(callback: (node: { value: number; data: Drawn; children?: { value: number }[] }) => void): void
  }
  values.eachAfter((node) => {
    node.value = Math.max(
      node.data.node.bytes,
      (node.children ?? []).reduce((sum, { value }) => sum + value, 0),
    )
  })
  top.sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const head = Math.round(font * 1.7)
  const layout = treemap<Drawn>()
    .size([width, height])
    .paddingInner(2)
    .paddingOuter((node) => (node.depth === 1 ? 2 : 0))
    .paddingTop((node) => (node.depth === 1 ? head : 0))
    .round(true)(top)
  if ((layout.children ?? []).length === 0) {
    const { name, node } = layout.data
    return [
      svg('rect', { class: 'cell tint-0', x: 0, y: 0, width, height }),
      label(10, head, `${name}: ${size(node.bytes)}, nothing larger within`, { class: 'label strong' }),
    ]
  }
  return (layout.children ?? []).map((child, i) => block(child, i, root, font, head, zoomOf))
}

function block(
  child: HierarchyRectangularNode<Drawn>,
  index: number,
  root: ReportTreeNode,
  font: number,
  head: number,
  zoomOf: WeakMap<Element, readonly ReportTreeNode[]>,
): SVGElement {
  const { x0, y0, x1, y1 } = child
  const { name, node, path } = child.data
  const canEnter = node.children.length > 0
  // Where one takes nearly all, the tints tell its parts from each other.
  const isMost = (child.value ?? 0) > 0.6 * (child.parent?.value ?? 0)
  const attributes = { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) }
  const parts: SVGElement[] = [svg('rect', { ...attributes, class: `cell ${tintOf(node, index)}` })]
  for (const [k, inner] of (child.children ?? []).entries()) {
    const [wide, tall] = [inner.x1 - inner.x0, inner.y1 - inner.y0]
    if (wide < 2 || tall < 2 || inner.y1 > y1 || inner.x1 > x1) continue
    const { name: nameWithin, node: within, path: pathWithin } = inner.data
    const area = { x: inner.x0, y: inner.y0, width: wide, height: tall }
    const group = svg('g', {}, svg('rect', { ...area, class: isMost ? `cell ${tintOf(within, k)}` : 'inner' }))
    if (tall > font * 1.5) {
      const text = fitted(nameWithin, wide - 8, font)
      if (text !== '') group.append(label(inner.x0 + 4, inner.y0 + font * 1.15, text, { class: 'label name' }))
      const bytes = tall > font * 3 ? size(within.bytes) : ''
      if (text !== '' && fitted(bytes, wide - 8, font) === bytes) {
        group.append(label(inner.x0 + 4, inner.y0 + font * 2.4, bytes, { class: 'label' }))
      }
    }
    showOver(group, described(pathWithin, root))
    if (within.children.length > 0) zoomOf.set(group, pathWithin)
    parts.push(group)
  }
  if (y1 - y0 > font * 1.3) {
    // The size does not take part in a name that is read from the right.
    const whole = `\u2068${name}\u2069: ${size(node.bytes)}`
    const text =
      fitted(whole, (x1 - x0 - 14) / STRONG, font) === whole ? whole : fitted(name, (x1 - x0 - 10) / STRONG, font)
    if (text !== '') parts.push(label(x0 + 5, y0 + head * 0.7, text, { class: 'label strong' }))
  }
  // What the keyboard reaches lies over the picture, so that its name is not made of all names in it.
  const ring = mark({ role: canEnter ? 'button' : 'img' }, svg('rect', { ...attributes, class: 'ring' }))
  const group = svg('g', { class: canEnter ? 'block enter' : 'block' }, ...parts, tell(ring, described(path, root)))
  showOver(group, described(path, root))
  if (canEnter) for (const element of [group, ring]) zoomOf.set(element, path)
  return group
}

function tintOf(node: ReportTreeNode, index: number): string {
  return node.folded > 0 && node.children.length === 0 ? 'folded' : `tint-${index % TINTS}`
}

function described(path: readonly ReportTreeNode[], root: ReportTreeNode): Told {
  const node = path.at(-1) as ReportTreeNode
  return {
    title: keyOf(path),
    rows: [
      ['Size', size(node.bytes)],
      ['Part', percent(node.bytes / root.bytes || 0)],
      ['Keys', count(node.keys)],
      ...(node.folded > 0 ? ([['Directories joined', count(node.folded)]] as const) : []),
    ],
  }
}

/** Rows of the table behind the picture. */
const TABLE_ROWS = 500

function fillTable(body: Element, path: readonly ReportTreeNode[]): void {
  const here = path.at(-1) as ReportTreeNode
  const nodes = here.children.toSorted((a, b) => b.bytes - a.bytes).slice(0, TABLE_ROWS)
  body.closest('details')?.querySelector('.muted:last-child')?.remove()
  body.replaceChildren(
    ...(nodes.length === 0 ? [here] : nodes).map((node) => {
      const key = html('bdi', {}, node === here ? keyOf(path) : keyOf([...path, node]))
      const cells = [size(node.bytes), percent(node.bytes / (path[0]?.bytes ?? 1) || 0), count(node.keys)]
      const first = html('th', { scope: 'row' }, node.folded > 0 ? key : html('code', {}, key))
      return html('tr', {}, first, ...cells.map((text) => html('td', { class: 'figure-cell' }, text)))
    }),
  )
}
