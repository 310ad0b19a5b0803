import { expect } from 'chai'
import fc from 'fast-check'
import { formatJobid, JOBID_FORMS, type JobidForm, jobidPrefix, jobKey, parseJobid } from '../../src/kvs/index.ts'

/** As `flux job id --to=FORM` of flux-core 0.88.0 wrote them, in the order of JOBID_FORMS. */
const WRITTEN: string[][] = [
  [
    'ƒ1',
    'f1',
    '0',
    '0x0',
    '0000.0000.0000.0000',
    'job.0000.0000.0000.0000',
    'academy-academy-academy--academy-academy-academy',
    '😃',
  ],
  [
    'ƒ2',
    'f2',
    '1',
    '0x1',
    '0000.0000.0000.0001',
    'job.0000.0000.0000.0001',
    'acrobat-academy-academy--academy-academy-academy',
    '😄',
  ],
  [
    'ƒz',
    'fz',
    '57',
    '0x39',
    '0000.0000.0000.0039',
    'job.0000.0000.0000.0039',
    'aztec-academy-academy--academy-academy-academy',
    '🙊',
  ],
  [
    'ƒ21',
    'f21',
    '58',
    '0x3a',
    '0000.0000.0000.003a',
    'job.0000.0000.0000.003a',
    'balance-academy-academy--academy-academy-academy',
    '💌',
  ],
  [
    'ƒV2',
    'fV2',
    '1625',
    '0x659',
    '0000.0000.0000.0659',
    'job.0000.0000.0000.0659',
    'amen-academy-academy--academy-academy-academy',
    '😁📁',
  ],
  [
    'ƒV3',
    'fV3',
    '1626',
    '0x65a',
    '0000.0000.0000.065a',
    'job.0000.0000.0000.065a',
    'academy-acrobat-academy--academy-academy-academy',
    '😁📂',
  ],
  [
    'ƒ7YXq9G',
    'f7YXq9G',
    '4294967295',
    '0xffffffff',
    '0000.0000.ffff.ffff',
    'job.0000.0000.ffff.ffff',
    'natural-analyze-verbal--academy-academy-academy',
    '😳🏪🍖🍸',
  ],
  [
    'ƒ7YXq9H',
    'f7YXq9H',
    '4294967296',
    '0x100000000',
    '0000.0001.0000.0000',
    'job.0000.0001.0000.0000',
    'academy-academy-academy--acrobat-academy-academy',
    '😳🏪🍖🍹',
  ],
  [
    'ƒ2CCFUrT',
    'f2CCFUrT',
    '45415923712',
    '0xa93000000',
    '0000.000a.9300.0000',
    'job.0000.000a.9300.0000',
    'recycle-decide-manual--airline-academy-academy',
    '🍤🀄🐠📓',
  ],
  [
    'ƒ2DLNrMSKug',
    'f2DLNrMSKug',
    '9007199254740991',
    '0x1fffffffffffff',
    '001f.ffff.ffff.ffff',
    'job.001f.ffff.ffff.ffff',
    'natural-analyze-verbal--unicorn-brave-academy',
    '🐒😤🎉😿📲🕒',
  ],
  [
    'ƒ2DLNrMSKuh',
    'f2DLNrMSKuh',
    '9007199254740992',
    '0x20000000000000',
    '0020.0000.0000.0000',
    'job.0020.0000.0000.0000',
    'academy-academy-academy--unique-brave-academy',
    '🐒😤🎉😿📲🕓',
  ],
  [
    'ƒ2DLNrMSKui',
    'f2DLNrMSKui',
    '9007199254740993',
    '0x20000000000001',
    '0020.0000.0000.0001',
    'job.0020.0000.0000.0001',
    'acrobat-academy-academy--unique-brave-academy',
    '🐒😤🎉😿📲🕔',
  ],
  [
    'ƒVf87B9opoow',
    'fVf87B9opoow',
    '12345678901234567890',
    '0xab54a98ceb1f0ad2',
    'ab54.a98c.eb1f.0ad2',
    'job.ab54.a98c.eb1f.0ad2',
    'forget-airline-point--love-idea-cupid',
    '🌈😱🍤📙🚉🏬😪',
  ],
  [
    'ƒjpXCZedGfVQ',
    'fjpXCZedGfVQ',
    '18446744073709551615',
    '0xffffffffffffffff',
    'ffff.ffff.ffff.ffff',
    'job.ffff.ffff.ffff.ffff',
    'natural-analyze-verbal--natural-analyze-verbal',
    '🚹💗💧👗😷📷📚',
  ],
]

const [F58, PLAIN, DEC, , DOTHEX, KVS, WORDS] = WRITTEN.find(([f58]) => f58 === 'ƒ2CCFUrT') as string[]

describe('kvs/jobid', () => {
  for (const written of WRITTEN) {
    it(`writes and reads ${written[2]} in every form, as flux job id does`, () => {
      const id = BigInt(written[2] as string)
      expect(JOBID_FORMS.map((form) => formatJobid(id, form))).to.deep.equal(written)
      for (const text of written) expect(parseJobid(text)).to.equal(id)
    })
  }

  it('takes spaces around, digits of either case, and words parted as one likes', () => {
    for (const text of [
      ` ${F58}\n`,
      DOTHEX?.toUpperCase(),
      `job.${DEC}`,
      `job.${PLAIN}`,
      '0.a.9300.0',
      WORDS?.toUpperCase(),
    ]) {
      expect(parseJobid(text as string), text).to.equal(45415923712n)
    }
    expect(parseJobid((WORDS as string).replace('--', '-'))).to.equal(45415923712n)
  })

  it('refuses what is no job id, saying what one looks like', () => {
    const wrong = ['', 'f', 'ƒ', 'f0', 'fl', 'f1111111111111', 'xyz', '12x', '-5', '0x', '1e3', '18446744073709551616']
    const alsoWrong = ['fzzzzzzzzzzzz', '1.2.3', '1.2.3.4.5', '1.2.3.10000', 'academy-airport-alaska', 'a-b-c--d-e-f']
    for (const text of [...wrong, ...alsoWrong, 'job.', 'verbal-verbal-verbal--academy-academy-academy']) {
      expect(() => parseJobid(text), text)
        .to.throw(/not a job id/)
        .with.property('code', 'EINVAL')
    }
  })

  it('names the directory of a job', () => {
    expect(jobKey(45415923712n)).to.equal(KVS)
  })
})

describe('kvs/jobid: beginnings of ids', () => {
  /** Forms whose beginnings are understood, and the shortest beginning that tells the form. */
  const LEAST: readonly [JobidForm, number][] = [
    ['f58', 1],
    ['f58plain', 1],
    ['dec', 1],
    ['hex', 2],
    ['dothex', 5],
    ['kvs', 1],
  ]

  it('are those of the ids that they say, and of no other', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        // Near or far.
        fc.nat(64),
        fc.constantFrom(...LEAST),
        fc.nat(24),
        (id, bits, [form, least], more) => {
          const other = BigInt.asUintN(64, id + 2n ** BigInt(bits) + 1n)
          const text = formatJobid(id, form)
          const part = text.slice(0, least + more)
          const prefix = jobidPrefix(part)
          const holds = (one: bigint) => prefix?.ranges.some(([first, last]) => first <= one && one <= last)
          expect(prefix?.form, part).to.equal(form)
          expect(holds(id), part).to.equal(true)
          expect(holds(other), part).to.equal(formatJobid(other, form).startsWith(part))
        },
      ),
    )
  })

  it('are in F58 when there is nothing, and none when no id begins so', () => {
    expect(jobidPrefix('')).to.deep.equal({ form: 'f58', ranges: [[0n, 2n ** 64n - 1n]] })
    for (const text of ['x', 'f0', 'ƒl', '0x_', '18446744073709551616', 'job.1234567', 'jobs'])
      expect(jobidPrefix(text), text).to.equal(undefined)
  })
})
