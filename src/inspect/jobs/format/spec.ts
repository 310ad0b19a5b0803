/** Format specifications of Python: `{name:SPEC}`. @see Python, "Format Specification Mini-Language" */
import { formatError } from './parse.ts'

/** What a specification says. A member is empty, or undefined, when it says nothing about it. */
export interface Spec {
  fill: string
  align: '' | '<' | '>' | '=' | '^'
  sign: '' | '+' | '-' | ' '
  /** `z`: a number that rounds to zero has no sign. */
  positiveZero: boolean
  /** `#` */
  alternate: boolean
  /** A zero before the width. */
  zero: boolean
  width: number | undefined
  grouping: '' | ',' | '_'
  precision: number | undefined
  /** The letter for the presentation; empty is the usual one of the value's type. */
  type: string
}

const SPEC = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?(.)?$/su

/** Beyond what any screen or file needs; a larger number is a mistake, and would need much memory. */
export const LARGEST_WIDTH = 100_000
/** The precision that numbers can be printed with here. */
const LARGEST_PRECISION = 100

/**
 * @param spec - without the additions of Flux, `h` and `+`
 * @param field - for the error
 * @throws {FluxError} `EINVAL` no specification
 */
export function parseSpec(spec: string, field: string): Spec {
  const found = SPEC.exec(spec)
  if (!found) throw formatError(`{${field}:${spec}}: not a format specification`, 'it looks like >12, <10.10 or 8.3f')
  const [, fill = '', align = '', sign = '', z, alternate, zero, width, grouping = '', precision, type = ''] = found
  const result: Spec = {
    fill,
    align: align as Spec['align'],
    sign: sign as Spec['sign'],
    positiveZero: z !== undefined,
    alternate: alternate !== undefined,
    zero: zero !== undefined,
    width: width === undefined ? undefined : Number(width),
    grouping: grouping as Spec['grouping'],
    precision: precision === undefined ? undefined : Number(precision),
    type,
  }
  if ((result.width ?? 0) > LARGEST_WIDTH || (result.precision ?? 0) > LARGEST_WIDTH) {
    throw formatError(`{${field}:${spec}}: too wide`, `the largest width is ${LARGEST_WIDTH}`)
  }
  if (type !== '' && type !== 's' && (result.precision ?? 0) > LARGEST_PRECISION) {
    throw formatError(`{${field}:${spec}}: too precise`, `the largest precision of a number is ${LARGEST_PRECISION}`)
  }
  return result
}

/** The parts of a specification that Flux itself looks at: for the header, and to widen a column. */
export interface Layout {
  /** For a time: the part before `::`, which says how to write it, with the colons. */
  before: string
  /** All between the fill and the width. */
  lead: string
  fill: string
  align: string
  width: number
  grouping: string
  precision: number | undefined
  /** The type and the additions of Flux. */
  type: string
  rest: string
}

const LAYOUT = /^(?:([\s\S])?([<>=^]))?([- +]?z?#?0?)(\d+)?([_,])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?(h?\+?)$/u

const NO_LAYOUT: Layout = {
  before: '',
  lead: '',
  fill: '',
  align: '',
  width: 0,
  grouping: '',
  precision: undefined,
  type: '',
  rest: '',
}

/** Look at a specification as Flux does. What is not understood has no layout. */
export function layoutOf(spec: string): Layout {
  const colons = spec.indexOf('::')
  const before = colons === -1 ? '' : spec.slice(0, colons + 2)
  const found = LAYOUT.exec(spec.slice(before.length))
  if (!found) return NO_LAYOUT
  const [, fill = '', align = '', lead = '', width = '0', grouping = '', precision, type = '', rest = ''] = found
  const digits = precision === undefined ? undefined : Number(precision)
  return { before, lead, fill, align, width: Number(width), grouping, precision: digits, type, rest }
}

/** The same specification with another width; the precision of a text grows with it. */
export function widened(layout: Layout, width: number): string {
  const { before, fill, align, lead, grouping, type, rest } = layout
  const isText = type === '' || type === 's'
  const precision = isText && layout.precision && layout.precision < width ? width : layout.precision
  const point = precision === undefined ? '' : `.${precision}`
  return `${before}${fill}${align}${lead}${width}${grouping}${point}${type}${rest}`
}
