import fs, { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { archiveCacheDir, compileCacheDir } from '../../src/cli/cache-dir.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { scratch } from '../support/fixtures.ts'

const STRANGER = 12345

/** A home directory that nobody else can write to, below one that has the sticky bit, as /tmp. */
function home(): string {
  const dir = join(scratch(), 'home')
  mkdirSync(dir, { mode: 0o755 })
  return dir
}

describe('cli/cache-dir', () => {
  it('is below the home directory or XDG_CACHE_HOME, made for its owner only, and there is another for archives', () => {
    const HOME = home()
    const expected = join(HOME, '.cache/flux-ts')
    expect(compileCacheDir({ HOME })).to.equal(expected)
    expect(archiveCacheDir({ HOME })).to.equal(join(expected, 'archives'))
    for (const path of [dirname(expected), expected, join(expected, 'archives')]) {
      expect(lstatSync(path).mode & 0o7777).to.equal(0o700)
    }
    const XDG_CACHE_HOME = join(home(), 'c')
    expect(compileCacheDir({ HOME, XDG_CACHE_HOME })).to.equal(join(XDG_CACHE_HOME, 'flux-ts'))
    // A relative one is ignored.
    expect(compileCacheDir({ HOME, XDG_CACHE_HOME: 'c' })).to.equal(expected)
  })

  it('is none for compiled code when Node.js is told where to keep it, or not to', () => {
    const HOME = home()
    expect(compileCacheDir({ HOME, NODE_COMPILE_CACHE: '/x' })).to.equal(undefined)
    expect(compileCacheDir({ HOME, NODE_DISABLE_COMPILE_CACHE: '1' })).to.equal(undefined)
    expect(archiveCacheDir({ HOME, NODE_DISABLE_COMPILE_CACHE: '1' })).not.to.equal(undefined)
  })

  it('is none without a home, and makes none', () => {
    expect(compileCacheDir({})).to.equal(undefined)
    expect(compileCacheDir({ HOME: 'relative' })).to.equal(undefined)
    const HOME = join(home(), 'absent')
    expect(compileCacheDir({ HOME })).to.equal(undefined)
    expect(existsSync(HOME)).to.equal(false)
  })

  /** What makes a cache unsafe, or impossible. */
  const unsafe: Record<string, (home: string) => void> = {
    'others may write to the home': (home) => chmodSync(home, 0o777),
    'the group may write to the home': (home) => chmodSync(home, 0o775),
    'others may write to .cache': (home) => {
      mkdirSync(join(home, '.cache'))
      chmodSync(join(home, '.cache'), 0o777)
    },
    'others may write to .cache, which has the sticky bit': (home) => {
      mkdirSync(join(home, '.cache'))
      chmodSync(join(home, '.cache'), 0o1777)
    },
    'others may write to the cache': (home) => {
      mkdirSync(join(home, '.cache/flux-ts'), { recursive: true })
      chmodSync(join(home, '.cache/flux-ts'), 0o777)
    },
    'the cache is a link': (home) => {
      mkdirSync(join(home, '.cache'))
      mkdirSync(join(home, 'elsewhere'))
      symlinkSync(join(home, 'elsewhere'), join(home, '.cache/flux-ts'))
    },
    'the cache is a file': (home) => {
      mkdirSync(join(home, '.cache'))
      writeFileSync(join(home, '.cache/flux-ts'), '')
    },
    '.cache is a link to where others may write': (home) => {
      mkdirSync(join(home, 'open'))
      chmodSync(join(home, 'open'), 0o777)
      symlinkSync(join(home, 'open'), join(home, '.cache'))
    },
    '.cache is a link to nothing': (home) => symlinkSync(join(home, 'nothing'), join(home, '.cache')),
  }
  if (process.geteuid?.() === 0) {
    Object.assign(unsafe, {
      'the home is of another user': (home: string) => chownSync(home, STRANGER, STRANGER),
      'the cache is of another user': (home: string) => {
        mkdirSync(join(home, '.cache/flux-ts'), { recursive: true })
        chownSync(join(home, '.cache/flux-ts'), STRANGER, STRANGER)
      },
    })
  }
  for (const [what, make] of Object.entries(unsafe)) {
    it(`is none when ${what}`, () => {
      const HOME = home()
      make(HOME)
      expect(compileCacheDir({ HOME })).to.equal(undefined)
      expect(archiveCacheDir({ HOME })).to.equal(undefined)
    })
  }

  it('is none where it cannot be made', async () => {
    const HOME = home()
    const mkdirSync = () => {
      throw systemError('EROFS')
    }
    await withBuiltin(fs, { mkdirSync }, () => {
      expect(compileCacheDir({ HOME })).to.equal(undefined)
      expect(archiveCacheDir({ HOME })).to.equal(undefined)
    })
  })

  it('is none for archives when others may write to their directory, or when it is a file', () => {
    const HOME = home()
    chmodSync(archiveCacheDir({ HOME }) as string, 0o777)
    expect(archiveCacheDir({ HOME })).to.equal(undefined)
    const other = home()
    writeFileSync(join(compileCacheDir({ HOME: other }) as string, 'archives'), '')
    expect(archiveCacheDir({ HOME: other })).to.equal(undefined)
  })
})
