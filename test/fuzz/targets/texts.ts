/** Short texts: URIs, which a broker or a job may give; job ids; times, durations and sizes. */
import { durationMs } from '../../../src/cli/duration.ts'
import { parseSize } from '../../../src/cli/size.ts'
import { UsageError } from '../../../src/cli/usage-error.ts'
import { parseWhen } from '../../../src/cli/when.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { checkUri, parseUri } from '../../../src/flux/uri.ts'
import { formatJobid, JOBID_FORMS, jobidPrefix, parseJobid } from '../../../src/kvs/index.ts'
import { assertSame, type Target } from '../target.ts'

const NOW = 1_764_000_000

function bytesOf(texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text))
}

export const uris: Target = {
  name: 'uris',
  budgetBytes: 1 << 20,
  maxBytes: 512,
  tokens: [
    'ssh://',
    'local://',
    '/',
    '..',
    '@',
    ':',
    ':22',
    '-oProxyCommand=',
    '?',
    '#',
    ' ',
    '\n',
    '\u2028',
    '$(',
    '%h',
  ],
  seeds: () =>
    bytesOf([
      'local:///run/flux/local',
      'ssh://me@host:22/tmp/flux/local',
      'ssh://h/x',
      '/',
      '.',
      '../..',
      '',
      'x://y',
    ]),
  run(input) {
    const text = input.toString()
    checkUri(text)
    const uri = parseUri(text)
    if (uri.scheme === 'local') return
    const { user = 'x', host, port = 1, path } = uri
    for (const word of [user, host]) {
      assertSame(/^-|[\s'"`$;&<>|(){}*!~\p{Cc}]|^$/u.test(word), false, `a name for ssh: ${JSON.stringify(word)}`)
    }
    assertSame([port >= 1 && port <= 65535, path.startsWith('/')], [true, true], 'port and path')
  },
  isExpected: (error) => error instanceof FluxError,
}

export const jobids: Target = {
  name: 'jobids',
  budgetBytes: 1 << 20,
  maxBytes: 512,
  tokens: [
    'ƒ',
    'f',
    '0x',
    'job.',
    '.',
    '-',
    '--',
    '18446744073709551615',
    '18446744073709551616',
    '0000.',
    '😃',
    'academy',
  ],
  seeds: () =>
    bytesOf(JOBID_FORMS.flatMap((form) => [0n, 45415923712n, 2n ** 64n - 1n].map((id) => formatJobid(id, form)))),
  run(input) {
    const text = input.toString()
    const prefix = jobidPrefix(text)
    for (const range of prefix?.ranges ?? []) {
      for (const id of range) {
        const written = formatJobid(id, prefix?.form)
        assertSame(written.startsWith(text), true, `${written} begins with ${JSON.stringify(text)}`)
      }
    }
    const id = parseJobid(text)
    for (const form of JOBID_FORMS) assertSame(parseJobid(formatJobid(id, form)), id, form)
  },
  isExpected: (error) => error instanceof FluxError,
}

export const times: Target = {
  name: 'times',
  budgetBytes: 1 << 20,
  maxBytes: 256,
  tokens: [
    '-2h',
    ' ago',
    'last ',
    'monday',
    'month',
    'nov ',
    '24',
    '18:30',
    'T',
    'z',
    '+01:00',
    '@',
    '1e9',
    'inf',
    ' and ',
    'k',
    'G',
  ],
  seeds: () =>
    bytesOf([
      ...['-2h', '3 hours ago', 'a week ago', '2 months ago', 'now', 'yesterday', 'last monday', 'last month'],
      ...['2026-11-24', '11/24/26', 'nov 24 6pm', 'noon', '24 november 2026', '2026-11-24t18:30+01:00', '@1764000000'],
      ...['1.5m', '10ms', 'inf', '100M', '0x10', '1.5G'],
    ]),
  run(input) {
    const text = input.toString()
    const ms = durationMs(text)
    if (ms !== undefined) assertSame(ms >= 0, true, 'a duration')
    for (const parse of [
      () => parseWhen(text, 'since', NOW, true),
      () => parseWhen(text, 'since', NOW, false),
      () => parseSize(text, 'size'),
    ]) {
      try {
        assertSame(Number.isFinite(parse()), true, 'a number')
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
      }
    }
  },
  isExpected: () => false,
}
