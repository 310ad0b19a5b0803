import { expect } from 'chai'
import { DEFAULT_URI, defaultUri, parseUri } from '../../src/flux/index.ts'
import { ancestorLevels } from '../../src/flux/uri.ts'

const ssh = { scheme: 'ssh', user: undefined, port: undefined, host: 'h', path: '/s' }

describe('flux/uri', () => {
  const good: Record<string, object> = {
    'local:///run/flux/local': { scheme: 'local', path: '/run/flux/local' },
    'local:///a \t': { scheme: 'local', path: '/a' },
    'local://relative': { scheme: 'local', path: 'relative' },
    'ssh://h/s': ssh,
    'ssh://me@h/s': { ...ssh, user: 'me' },
    'ssh://me:secret@h/s': { ...ssh, user: 'me' },
    'ssh://me@h:2222/run/flux/local': { ...ssh, user: 'me', port: 2222, path: '/run/flux/local' },
  }
  for (const [text, parts] of Object.entries(good)) {
    it(`takes ${JSON.stringify(text)} apart`, () => expect(parseUri(text)).to.deep.equal({ ...parts, text }))
  }

  const bad: [string, string[]][] = [
    ['ENOENT', ['', 'nothing', 'local:/x', 'tcp://h/s', '://x']],
    ['EINVAL', ['local://', 'ssh://h', 'ssh://h/', 'ssh:///s', 'ssh://h/s?q', 'ssh://h/s#f', 'ssh://@h/s']],
    [
      'EINVAL',
      [
        'ssh://h:/s',
        'ssh://h:0/s',
        'ssh://h:65536/s',
        'ssh://h:x/s',
        'ssh://-oProxyCommand=x/s',
        'ssh://-x@h/s',
        'ssh://me@-x/s',
        'ssh://h;id/s',
        'ssh://$(id)@h/s',
        'ssh://a b/s',
        'ssh://h/a\nb',
        'ssh://h/a\x1b[m',
      ],
    ],
  ]
  for (const [code, texts] of bad) {
    for (const text of texts) {
      it(`refuses ${JSON.stringify(text)} with ${code}`, () => {
        expect(() => parseUri(text))
          .to.throw()
          .with.property('code', code)
      })
    }
  }

  it('takes the path of a socket of 107 bytes, and refuses one of 108', () => {
    const path = (length: number) => `/${'é'.repeat((length - 1) / 2)}${length % 2 ? '' : 'x'}`
    expect(parseUri(`local://${path(107)}`)).to.have.property('path', path(107))
    expect(() => parseUri(`local://${path(108)}`))
      .to.throw('108 bytes')
      .with.property('code', 'EINVAL')
  })

  it('uses FLUX_URI even when it is empty, and the system instance when it is not set', () => {
    expect(defaultUri({})).to.equal(DEFAULT_URI)
    expect(defaultUri({ FLUX_URI: '' })).to.equal('')
    expect(defaultUri({ FLUX_URI: 'ssh://h/s' })).to.equal('ssh://h/s')
  })

  it('counts the levels of a path among instances', () => {
    const levels = ['/', '.', '..', '../..', './../', 'local:///x'].map(ancestorLevels)
    expect(levels).to.deep.equal([Number.POSITIVE_INFINITY, 0, 1, 2, 1, undefined])
    for (const path of ['/run/flux/local', '../x', '...']) {
      expect(() => ancestorLevels(path))
        .to.throw()
        .with.property('code', 'EINVAL')
    }
  })
})
