/** Horizontal bars with their names and values: users, queues, kinds of records and the like. */
import { type Draw, label, linear, mark } from './chart.ts'
import { fitted, STRONG, svg, textWidth } from './dom.ts'
import { type Told, tell } from './tip.ts'

/** A bar. */
export interface Bar {
  readonly name: string
  readonly value: number
  /** The value as people read it. */
  readonly text: string
  /** How it is filled; `used` where it does not matter. */
  readonly kind?: string
  /** A part of the value that is filled in another way. */
  readonly part?: { readonly value: number; readonly kind: string }
  readonly told: Told
}

/** More have a table. */
const MOST = 15

/** Bars, the first at the top. The name stands over the bar where the chart is narrow, else at its left. */
export function barsChart(bars: readonly Bar[]): Draw {
  const shown = bars.slice(0, MOST)
  const most = Math.max(...shown.map(({ value }) => value), Number.MIN_VALUE)
  return ({ width, font }) => {
    const isNarrow = width < font * 34
    const names = Math.min(width * 0.4, Math.max(...shown.map(({ name }) => textWidth(name, font)), font * 3) + 8)
    const values = Math.max(...shown.map(({ text }) => textWidth(text, font))) + 8
    const left = isNarrow ? 0 : names
    const x = linear([0, most], [left, width - values])
    const row = font * (isNarrow ? 2.9 : 1.9)
    const parts = shown.map(({ name, value, text, kind = 'used', part, told }, i) => {
      const top = i * row
      const middle = top + (isNarrow ? font * 2.1 : row / 2)
      const tall = font * (isNarrow ? 0.9 : 1.15)
      const bar = (amount: number, filled: string) =>
        svg('rect', {
          class: `bar ${filled}`,
          x: left,
          y: middle - tall / 2,
          width: Math.max(amount > 0 ? 1 : 0, x(amount) - left),
          height: tall,
        })
      return tell(
        mark(
          { class: 'row' },
          svg('rect', { class: 'hit', x: 0, y: top, width, height: row }),
          isNarrow
            ? label(0, top + font * 1.15, fitted(name, width, font), { class: 'label name' })
            : label(0, middle + font * 0.35, fitted(name, names - 8, font), { class: 'label name' }),
          bar(value, kind),
          ...(part === undefined ? [] : [bar(part.value, part.kind)]),
          label(x(value) + 6, middle + font * 0.35, text, { class: 'label value' }),
        ),
        told,
      )
    })
    return { height: shown.length * row + 2, parts }
  }
}

/** Parts of a whole in one bar. */
export function wholeChart(parts: readonly Bar[]): Draw {
  const whole = parts.reduce((sum, { value }) => sum + value, 0)
  return ({ width, font }) => {
    const x = linear([0, whole || 1], [0, width])
    const tall = font * 2.6
    let before = 0
    return {
      height: tall + 2,
      parts: parts
        .filter(({ value }) => value > 0)
        .map(({ value, kind = 'used', text, told }) => {
          const [from, to] = [x(before), x((before += value))]
          const shown = fitted(text, (to - from - 20) / STRONG, font)
          return tell(
            mark(
              { class: 'row' },
              svg('rect', { class: `bar ${kind}`, x: from, y: 1, width: Math.max(1, to - from - 1), height: tall }),
              ...(shown === text && to - from > 40
                ? [
                    svg('rect', {
                      class: 'plate',
                      x: from + 6,
                      y: tall / 2 - font * 0.75,
                      width: textWidth(text, font) * STRONG + 10,
                      height: font * 1.6,
                      rx: 3,
                    }),
                    label(from + 10, tall / 2 + font * 0.38, shown, { class: 'label strong' }),
                  ]
                : []),
            ),
            told,
          )
        }),
    }
  }
}
