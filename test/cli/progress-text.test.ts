import { expect } from 'chai'
import { Progress } from '../../src/cli/progress.ts'
import { ProgressLine } from '../../src/cli/progress-line.ts'
import { progressText, type Status } from '../../src/cli/progress-text.ts'
import { loadTextWidth } from '../../src/cli/text-width.ts'
import { FakeTerminal } from '../support/fake-terminal.ts'

const STATUS: Status = {
  doing: 'Reading',
  name: '/var/lib/flux/content.sqlite',
  part: 0.25,
  left: 'at most',
  of: 'of the store',
  counts: ['1,234 keys', '5,678 blobs'],
}

describe('the text of progress', () => {
  it('says what is done, how long it takes yet, how much is done, and how many', () => {
    expect(progressText(STATUS, 10, 200)).to.equal(
      'Reading /var/lib/flux/content.sqlite: at most 30 s left, 25% of the store, 1,234 keys, 5,678 blobs',
    )
  })

  it('loses first the beginning of the name, then the name, then the counts, and at last its end', () => {
    const texts = [90, 80, 70, 60, 48, 40, 20].map((columns) => progressText(STATUS, 10, columns))
    expect(texts).to.deep.equal([
      'Reading …flux/content.sqlite: at most 30 s left, 25% of the store, 1,234 keys, 5,678 blobs',
      'Reading: at most 30 s left, 25% of the store, 1,234 keys, 5,678 blobs',
      'Reading: at most 30 s left, 25% of the store, 1,234 keys, 5,678 blobs',
      'Reading: at most 30 s left, 25% of the store, 1,234 keys',
      'Reading: at most 30 s left, 25% of the store',
      'Reading …ntent.sqlite: at most 30 s left',
      'Reading: at most 30…',
    ])
  })

  it('fits, however narrow the terminal is', async () => {
    await loadTextWidth(['流れ'])
    for (let columns = 1; columns < 120; columns++) {
      const wide = { ...STATUS, name: '/var/lib/流れ/内容.sqlite' }
      for (const status of [STATUS, wide, { ...STATUS, counts: [], part: undefined }]) {
        const text = progressText(status, 10, columns)
        const width = [...text].reduce((sum, character) => sum + (/[\u3040-\u9fff]/.test(character) ? 2 : 1), 0)
        expect(width, text).to.be.at.most(columns)
      }
    }
  })

  it('says nothing of the time in the first second, nor of parts that are small or that nobody knows', () => {
    expect(progressText(STATUS, 0.9, 200)).to.include('sqlite: 25% of the store, 1,234 keys')
    expect(progressText({ ...STATUS, part: undefined }, 10, 200)).to.include('sqlite: 1,234 keys')
    for (const part of [0, 0.009]) {
      expect(progressText({ ...STATUS, part }, 10, 200)).to.include('sqlite: 1,234 keys')
    }
    expect(progressText({ ...STATUS, part: undefined, counts: [] }, 10, 200)).to.equal(
      'Reading /var/lib/flux/content.sqlite',
    )
  })

  it('never says that all is done', () => {
    expect(progressText({ ...STATUS, part: 1.4 }, 100, 200)).to.include('at most 2 s left, 99% of the store')
  })
})

describe('progress', () => {
  const shown = (read: (progress: Progress) => void) => {
    const terminal = new FakeTerminal()
    const progress = new Progress(new ProgressLine(terminal), () => terminal.now())
    read(progress)
    terminal.pass(2000)
    const text = terminal.screen.at(-1)
    progress.end()
    return text
  }
  const counts = { loaded: 250, direct: 0, measured: 0, marked: 0, addedUp: 0, keys: 0 }
  const store = { name: 'content.sqlite', counts, objects: 1000 }

  it('tells how much of an archive has been read', () => {
    const progress = { keys: 1000, symlinks: 0, blobs: 2000, bytes: 0, skipped: 0, deselected: 0, lost: 0 }
    expect(shown((it) => it.readsArchive('kvs.tgz', { progress, part: 0.5 }))).to.equal(
      'Reading kvs.tgz: about 2 s left, 50% of the archive, 1,000 keys, 2,000 blobs',
    )
    expect(shown((it) => it.readsArchive('-', { progress: { ...progress, keys: 0 }, part: undefined }))).to.equal(
      'Reading standard input',
    )
  })

  it('tells how much of a store has been read, where all of it is going to be', () => {
    const whole = shown((it) => {
      it.isWhole = true
      it.readsStore(store)
    })
    expect(whole).to.equal('Reading content.sqlite: at most 6 s left, 25% of the store, 250 blobs')
    expect(shown((it) => it.readsStore(store))).to.equal('Reading content.sqlite: 250 blobs')
  })

  it('counts a blob once that is asked for in two ways', () => {
    const read = { ...counts, measured: 700 }
    expect(shown((it) => it.readsStore({ ...store, counts: read }))).to.equal('Reading content.sqlite: 700 blobs')
  })

  it('adds up two stores', () => {
    const text = shown((it) => {
      it.isWhole = true
      it.readsStore(store)
      it.readsStore({ ...store, name: 'kvs\u001b.tgz' })
    })
    expect(text).to.equal('Reading content.sqlite and kvs\\x1b.tgz: 500 blobs')
  })

  it('is silent while a live instance has not sent anything', () => {
    const instance = {} as never
    const live = { name: 'local:///run/flux/local', instance, objects: undefined }
    expect(shown((it) => it.readsStore({ ...live, counts: { ...counts, loaded: 0 } }))).to.equal('')
    expect(shown((it) => it.readsStore({ ...live, counts: { ...counts, loaded: 0, keys: 3 } }))).to.equal(
      'Reading local:///run/flux/local: 3 keys',
    )
  })
})
