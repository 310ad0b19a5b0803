import { expect } from 'chai'
import { DEFAULT_URI, defaultUri, parseUri } from '../../src/flux/index.ts'
import { ancestorLevels, checkUri } from '../../src/flux/uri.ts'

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

  const schemes = 'a URI is local:///path/of/socket or ssh://[user@]host[:port]/path/of/socket'
  const bad: [code: string, why: string, texts: string[]][] = [
    ['ENOENT', 'not a URI', ['nothing', 'local:/x']],
    ['ENOENT', 'unknown scheme tcp', ['tcp://h/s']],
    ['ENOENT', 'unknown scheme ', ['://x']],
    ['EINVAL', 'no path of a socket', ['local://', 'local:// \t', 'ssh://h', 'ssh://h/']],
    ['EINVAL', 'no host', ['ssh:///s', 'ssh://me@/s', 'ssh://me@:1/s']],
    ['EINVAL', 'no user before the @', ['ssh://@h/s', 'ssh://:secret@h/s']],
    ['EINVAL', 'a query or fragment has no meaning here', ['ssh://h/s?q', 'ssh://h/s#f']],
    [
      'EINVAL',
      'not a port number',
      ['ssh://h:/s', 'ssh://h:0/s', 'ssh://h:65536/s', 'ssh://h:x/s', 'ssh://h:1x/s', 'ssh://h:1:22/s'],
    ],
    ['EINVAL', 'neither user nor host can begin with -', ['ssh://-oProxyCommand=x/s', 'ssh://-x@h/s', 'ssh://me@-x/s']],
    [
      'EINVAL',
      'a character that no name of a user or host has',
      ['ssh://h;id/s', 'ssh://$(id)@h/s', 'ssh://a b/s', 'ssh://a|b@h/s'],
    ],
  ]
  for (const [code, why, texts] of bad) {
    for (const text of texts) {
      it(`refuses ${JSON.stringify(text)} with ${code}: ${why}`, () => {
        expect(() => parseUri(text))
          .to.throw()
          .that.includes({ code, message: `${text}: ${why}`, hint: schemes })
      })
    }
  }

  for (const text of ['ssh://h/a\nb', 'ssh://h/a\x1b[m', 'ssh://h/a\x9bm']) {
    it(`refuses ${JSON.stringify(text)}, and does not repeat its control characters`, () => {
      expect(() => parseUri(text))
        .to.throw(/^[^\p{Cc}]*: control characters have no place in it$/u)
        .with.property('code', 'EINVAL')
    })
  }

  it('takes the ports 1 and 65535', () => {
    expect([1, 65535].map((port) => parseUri(`ssh://h:${port}/s`))).to.deep.equal([
      { ...ssh, port: 1, text: 'ssh://h:1/s' },
      { ...ssh, port: 65535, text: 'ssh://h:65535/s' },
    ])
  })

  it('says where an empty URI may come from', () => {
    expect(() => parseUri(''))
      .to.throw()
      .that.includes({
        code: 'ENOENT',
        message: 'the URI is empty',
        hint: 'is FLUX_URI set to nothing? unset it to reach the system instance',
      })
  })

  it('takes the path of a socket of 107 bytes, and refuses one of 108', () => {
    const path = (length: number) => `/${'é'.repeat((length - 1) / 2)}${length % 2 ? '' : 'x'}`
    expect(parseUri(`local://${path(107)}`)).to.have.property('path', path(107))
    expect(() => parseUri(`local://${path(108)}`))
      .to.throw('108 bytes')
      .with.property('code', 'EINVAL')
  })

  it('uses FLUX_URI even when it is empty, and the system instance when it is not set', () => {
    expect(defaultUri({})).to.equal(DEFAULT_URI)
    expect(DEFAULT_URI).to.equal('local:///run/flux/local')
    expect(defaultUri({ FLUX_URI: '' })).to.equal('')
    expect(defaultUri({ FLUX_URI: 'ssh://h/s' })).to.equal('ssh://h/s')
  })

  it('counts the levels of a path among instances', () => {
    const levels = ['/', '.', '..', '../..', './../', 'local:///x'].map(ancestorLevels)
    expect(levels).to.deep.equal([Number.POSITIVE_INFINITY, 0, 1, 2, 1, undefined])
  })

  it('refuses a path that is none among instances, with what may have been meant', () => {
    expect(() => ancestorLevels('/run/flux/local'))
      .to.throw()
      .that.includes({
        code: 'EINVAL',
        message: '/run/flux/local: not a URI',
        hint: 'a socket is given as local:///run/flux/local',
      })
    for (const [path, element] of Object.entries({ '../x': 'x', '...': '...' })) {
      expect(() => ancestorLevels(path))
        .to.throw()
        .that.includes({
          code: 'EINVAL',
          message: `${path}: not a URI: ${element} is neither . nor ..`,
          hint: 'a path as URI is /, ., .. or ../.., and so on: the root, the enclosing instance, and those around it',
        })
    }
  })

  it('checks a URI, and takes any path among instances', () => {
    for (const good of ['/', '..', 'local:///x']) checkUri(good)
    expect(() => checkUri('tcp://h/s')).to.throw('unknown scheme tcp')
    expect(() => checkUri('/x')).to.throw('/x: not a URI')
  })
})
