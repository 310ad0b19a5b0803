/** The format language, compared with Python itself. */
import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import fc from 'fast-check'
import { durationFsd, durationHms, percentage } from '../../../../src/inspect/jobs/format/conversions.ts'
import type { FieldKind } from '../../../../src/inspect/jobs/format/fields.ts'
import { parseFormat } from '../../../../src/inspect/jobs/format/parse.ts'
import { pythonRepr, pythonText } from '../../../../src/inspect/jobs/format/python-text.ts'
import { timeFormatter } from '../../../../src/inspect/jobs/format/time-format.ts'
import { valueFormatter } from '../../../../src/inspect/jobs/format/value-format.ts'
import { has } from '../../../support/processes.ts'
import { inTimeZone } from '../../../support/time-zone.ts'

const UTC = { utc: true }
const LOCAL = { utc: false }
/** Cases for one run of Python, which takes longer than they do. */
const RUNS = 2000

/** The result of a Python expression over `x`, for each case; null where it raises an error. */
function python<T>(expression: string, cases: readonly T[], zone = 'UTC'): (string | null)[] {
  const script = `
import datetime, json, math, os, string, sys, time
os.environ['TZ'] = '${zone}'
time.tzset()
def result(x):
    try:
        return ${expression}
    except Exception:
        return None
for line in sys.stdin.buffer:
    print(json.dumps(result(json.loads(line))))
`
  const input = cases.map((each) => JSON.stringify(each)).join('\n')
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input, maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(stderr.toString())
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function ours(work: () => string): string | null {
  try {
    return work()
  } catch {
    return null
  }
}

/** Python's specifications, and some that look like one. */
const spec = fc
  .tuple(
    fc.option(fc.constantFrom('*', 'é', '0', '😀'), { nil: '' }),
    fc.option(fc.constantFrom('<', '>', '^', '='), { nil: '' }),
    fc.option(fc.constantFrom('+', '-', ' '), { nil: '' }),
    fc.option(fc.constant('#'), { nil: '', freq: 1 }),
    fc.option(fc.constant('0'), { nil: '', freq: 1 }),
    fc.option(fc.nat(25).map(String), { nil: '' }),
    fc.option(fc.constantFrom(',', '_'), { nil: '', freq: 1 }),
    fc.option(
      fc.nat(20).map((digits) => `.${digits}`),
      { nil: '' },
    ),
    fc.option(fc.constantFrom(...'bcdeEfFgGnosxX%q'), { nil: '' }),
  )
  .map(([fill, align, ...rest]) => (align === '' ? '' : fill) + align + rest.join(''))

const float = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 0, max: 1e7, noNaN: true }),
    // Values that lie exactly between two shorter ones.
    fc.integer({ min: -100000, max: 100000 }).map((n) => n / 8),
  )
  // JSON makes a whole number of one without a fraction.
  .map((n) => (Number.isInteger(n) ? (n % 1e9) + 0.5 : n))
/** Whether a character can be printed depends on the version of Unicode, so those of old versions are taken. */
const oldText = fc.string({
  unit: fc.oneof(fc.constantFrom(...'éƒ日😀\n\t\u00a0\'"\\\x7f\u2028'), fc.string({ minLength: 1, maxLength: 1 })),
  maxLength: 20,
})
const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: 'grapheme', maxLength: 12 }))

if (has('python3')) {
  describe('a format specification, compared with Python', () => {
    const sameAs = (name: string, kind: FieldKind, values: fc.Arbitrary<unknown>, asked = spec) =>
      it(`formats ${name}`, () => {
        const cases = fc.sample(fc.tuple(asked, values), RUNS)
        const theirs = python('format(x[1], x[0])', cases)
        cases.forEach(([spec, value], i) => {
          // The additions of Flux are no part of Python's language.
          if (/[h+]$/.test(spec)) return
          // Python refuses numbers that are no characters; in a table they must not end the program.
          if (spec.endsWith('c') && !(Number(value) >= 0 && Number(value) < 0xd800)) return
          const text = ours(() => valueFormatter('x', kind, '', spec, UTC)(value))
          expect({ spec, value, text }).to.deep.equal({ spec, value, text: theirs[i] })
        })
      })

    sameAs('texts', 'text', text)
    sameAs('whole numbers', 'whole', fc.oneof(fc.integer(), fc.integer({ min: 0, max: 2000 })))
    sameAs('floating point numbers', 'float', float)
  })

  describe('a format string, compared with Python', () => {
    it('is split alike', () => {
      const piece = fc.constantFrom('{', '}', '{{', '}}', '{id}', '{a.b!d:%H:%M::>5}', '{x:>8}', 'text', '!', ':', '[')
      const cases = fc.sample(
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
        RUNS,
      )
      const expression =
        "''.join(t + (f'<{f}|{c or str()}|{s}>' if f else '') for t, f, s, c in string.Formatter().parse(x))"
      const theirs = python(expression, cases)
      let accepted = 0
      cases.forEach((format, i) => {
        const text = ours(() =>
          parseFormat(format)
            .map((part) => part.text + (part.field && `<${part.field}|${part.conversion}|${part.spec}>`))
            .join(''),
        )
        // Ours refuses a field inside a field: the formats of flux jobs cannot have one either.
        if (text === null) return
        accepted++
        expect({ format, text }).to.deep.equal({ format, text: theirs[i] })
      })
      expect(accepted).to.be.greaterThan(RUNS / 10)
    })
  })

  describe('a time, compared with strftime(3)', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns']) {
      it(`is written alike in ${zone}`, () => {
        const letters = fc.constantFrom(...'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%f')
        const flags = fc.constantFrom('', '', '', '-', '_', '0', '^')
        const format = fc.array(
          fc.oneof(
            fc.tuple(flags, letters).map(([flag, letter]) => `%${'fzZ%'.includes(letter) ? '' : flag}${letter}`),
            fc.constantFrom(' ', ':', 'Z'),
          ),
          { maxLength: 5 },
        )
        // Up to 2037: beyond, the zones of both differ.
        const seconds = fc.double({ min: 1, max: 2.1e9, noNaN: true })
        const texts = format.map((parts) => parts.join(''))
        const cases = fc.sample(fc.tuple(texts, seconds), RUNS)
        const theirs = python('datetime.datetime.fromtimestamp(x[1]).strftime(x[0])', cases, zone)
        inTimeZone(zone, () => {
          cases.forEach(([format, seconds], i) => {
            const text = timeFormatter(format, zone === 'UTC' ? UTC : LOCAL)(seconds)
            expect({ format, seconds, text }).to.deep.equal({ format, seconds, text: theirs[i] })
          })
        })
      })
    }
  })

  describe('a conversion, compared with Python', () => {
    const FSD = `(
      '0s' if x < 1e-3 else '%.03fs' % x if x < 10 else '%.4gs' % x if x < 60 else
      '%.4gm' % (x / 60) if x < 3600 else '%.4gh' % (x / 3600) if x < 86400 else '%.4gd' % (x / 86400))`
    const conversions: [name: string, expression: string, convert: (value: number) => string][] = [
      ['a duration', FSD, durationFsd],
      ['hours and minutes', 'str(datetime.timedelta(seconds=1 if 0 < x < 1 else round(x)))', durationHms],
      ['a percentage', "f'{x*100:.2f}%' if 0 < x * 100 < 1 else f'{x*100:.3g}%'", percentage],
    ]
    for (const [name, expression, convert] of conversions) {
      it(`writes ${name}`, () => {
        const few = fc.double({ min: 0, max: 1e6, noNaN: true })
        const cases = fc.sample(
          fc.oneof(
            few,
            fc.double({ min: 0, max: 2, noNaN: true }),
            fc.nat(4e6).map((n) => n / 8),
          ),
          RUNS,
        )
        const theirs = python(expression, cases)
        cases.forEach((value, i) => {
          expect({ value, text: convert(value) }).to.deep.equal({ value, text: theirs[i] })
        })
      })
    }
  })

  describe('a JSON value, compared with Python', () => {
    it('is written as str and repr write it', () => {
      // An object is written as JSON, as Flux does with annotations.
      const leaf = fc.oneof(oldText, fc.integer(), float, fc.boolean(), fc.constant(null))
      const values = fc.sample(fc.oneof(leaf, fc.array(leaf, { maxLength: 4 }), fc.dictionary(oldText, leaf)), RUNS)
      const theirs = python('json.dumps(x) if isinstance(x, dict) else str(x)', values)
      const reprs = python('json.dumps(x) if isinstance(x, dict) else repr(x)', values)
      values.forEach((value, i) => {
        expect(pythonText(value)).to.equal(theirs[i])
        expect(pythonRepr(value)).to.equal(reprs[i])
      })
    })
  })
}
