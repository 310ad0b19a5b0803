import { expect } from 'chai'
import fc from 'fast-check'
import { type ContentStore, openStore } from '../../../src/content/index.ts'
import { type Change, changeText, DiffTotals, diff, type InspectOptions } from '../../../src/inspect/index.ts'
import { resolveRoot } from '../../../src/kvs/index.ts'
import { ArchiveStore } from '../../../src/restore/index.ts'
import { fixture } from '../../support/fixtures.ts'
import { Blobs, dir, MemoryStore, onDisk, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

type Entries = Record<string, Tree>

async function changesOf(
  a: [ContentStore, string],
  b: [ContentStore, string],
  options: InspectOptions = {},
): Promise<Change[]> {
  const [treeA, treeB] = [a, b].map(([store, rootref]) => ({ store, rootref }))
  const all: Change[] = []
  for await (const batch of diff(treeA as never, treeB as never, options)) {
    expect(batch).not.to.have.length(0)
    all.push(...batch)
  }
  return all
}

/** Changes as `+key`, `-key`, `~key`, with sizes. */
function shown(changes: readonly Change[]): string[] {
  const size = (held: Change['before']) => (held?.type === 'value' ? held.size : held ? `-> ${held.target}` : '')
  return changes.map(({ key, change, before, after }) => {
    const sign = { added: '+', removed: '-', changed: '~' }[change]
    return `${sign}${key} ${size(before)}:${size(after)}`
  })
}

async function diffLiterals(a: Entries, b: Entries): Promise<{ changes: string[]; asked: Set<string>; blobs: Blobs }> {
  const blobs = new Blobs()
  const [rootA, rootB] = [blobs.tree(a), blobs.tree(b)]
  const store = new MemoryStore(blobs)
  const changes = shown(await changesOf([store, rootA], [store, rootB]))
  return { changes, asked: new Set(store.asked), blobs }
}

/** Keys to what they hold, found by recursion. */
function flatten(entries: Entries, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [name, tree] of Object.entries(entries)) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    const inner =
      'entries' in tree ? tree.entries : 'type' in tree && tree.type === 'dir' ? (tree.data as Entries) : undefined
    if (inner) for (const [below, text] of flatten(inner, key)) flat.set(below, text)
    else if ('blobs' in tree) flat.set(key, `value ${Buffer.concat(tree.blobs.map((blob) => Buffer.from(blob)))}`)
    else if ('type' in tree && tree.type === 'symlink') flat.set(key, `link ${JSON.stringify(tree.data)}`)
    else if ('data' in tree) flat.set(key, `value ${Buffer.from(tree.data as string, 'base64')}`)
  }
  return flat
}

/** The size of a flattened value. */
function sizeOf(held: string | undefined): number {
  return Buffer.byteLength((held as string).slice('value '.length))
}

const name = fc.constantFrom('a', 'b', 'c', 'é', '\u{1f600}', '\uffee')
const text = fc.constantFrom('', 'x', 'y', 'xy', 'long enough to be anything')
const { entries: trees } = fc.letrec<{ tree: Tree; entries: Entries }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    text.map(val),
    fc.array(text, { minLength: 1, maxLength: 3 }).map((blobs) => valref(...blobs)),
    fc.constantFrom(symlink('a'), symlink('b'), symlink('a', 'ns')),
    tie('entries').map(dir),
    fc.dictionary(name, text.map(val)).map((data) => raw('dir', data)),
  ),
  entries: fc.dictionary(name, tie('tree'), { maxKeys: 5 }),
}))

describe('inspect/diff', () => {
  it('finds what a comparison of all keys finds, in their order, whatever the algorithms and windows', async () => {
    const hash = fc.constantFrom('sha1' as const, 'sha256' as const)
    await fc.assert(
      fc.asyncProperty(
        trees,
        trees,
        hash,
        hash,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (a, b, hashA, hashB, window, obeyBudget) => {
          const [blobsA, blobsB] = [new Blobs(hashA), new Blobs(hashB)]
          const [rootA, rootB] = [blobsA.tree(a), blobsB.tree(b)]
          const [storeA, storeB] = [blobsA, blobsB].map((blobs) =>
            Object.assign(new MemoryStore(blobs), { window, obeyBudget }),
          )
          const changes = await changesOf([storeA as MemoryStore, rootA], [storeB as MemoryStore, rootB])
          const [flatA, flatB] = [flatten(a), flatten(b)]
          const expected = [...new Set([...flatA.keys(), ...flatB.keys()])]
            .filter((key) => flatA.get(key) !== flatB.get(key))
            .map((key) => `${key} ${flatA.has(key)} ${flatB.has(key)}`)
          const found = changes.map(({ key, before, after }) => `${key} ${before !== undefined} ${after !== undefined}`)
          expect(found).to.have.members(expected)
          const keys = changes.map(({ key }) => Buffer.from(key.replaceAll('.', '\0')))
          expect(keys).to.deep.equal(keys.toSorted(Buffer.compare))
          for (const { key, before, after } of changes) {
            if (before?.type === 'value') expect(before.size).to.equal(sizeOf(flatA.get(key)))
            if (after?.type === 'value') expect(after.size).to.equal(sizeOf(flatB.get(key)))
          }
        },
      ),
    )
  })

  it('reads no directory that is the same on both sides, and nothing below it', async () => {
    const same = dir({ x: valref('x'), y: dir({ z: valref('z') }) })
    const { changes, asked, blobs } = await diffLiterals(
      { same, a: dir({ same, b: dir({ c: valref('old'), d: valref('d') }) }) },
      { same, a: dir({ same, b: dir({ c: valref('new'), d: valref('d') }) }) },
    )
    expect(changes).to.deep.equal(['~a.b.c 3:3'])
    // Both roots, both a, both a.b, and the value for its size, before and after.
    expect(asked.size).to.equal(8)
    expect(asked).not.to.include(blobs.store('d'))
    const root = { same }
    expect((await diffLiterals(root, root)).asked.size).to.equal(0)
  })

  it('says of what has been appended to that it has changed, without reading what was there', async () => {
    const blobs = new Blobs()
    const [a, b] = [blobs.tree({ log: valref('1\n', '2\n') }), blobs.tree({ log: valref('1\n', '2\n', '3\n') })]
    const store = onDisk(new MemoryStore(blobs), {
      sizes: async (refs: readonly string[]) => new Float64Array(refs.length).fill(2),
    })
    expect(shown(await changesOf([store, a], [store, b]))).to.deep.equal(['~log 4:6'])
    expect(store.asked).to.deep.equal([a, b])
  })

  it('takes the same bytes for the same, however they are stored', async () => {
    const { changes } = await diffLiterals(
      { inline: val('abc'), parts: valref('ab', 'c', ''), other: valref('a', 'bc', 'd'), padded: raw('val', 'YQ==') },
      { inline: valref('abc'), parts: valref('', 'a', 'bc'), other: val('abcd'), padded: raw('val', 'YQ') },
    )
    expect(changes).to.deep.equal([])
  })

  it('reads one side alone where the other is one blob', async () => {
    const blobs = new Blobs()
    const [a, b] = [blobs.tree({ log: valref('1', '2') }), blobs.tree({ log: valref('12') })]
    const store = new MemoryStore(blobs)
    expect(await changesOf([store, a], [store, b])).to.deep.equal([])
    expect(store.asked).not.to.include(blobs.store('12'))
  })

  it('says what a link was and is, and of a directory in place of a value both', async () => {
    const { changes } = await diffLiterals(
      { a: symlink('x'), b: symlink('x'), c: symlink('x', 'n'), d: val('d'), e: dir({ f: val('f') }), g: dir({}) },
      { a: symlink('y'), b: symlink('x'), c: symlink('x'), d: dir({ f: val('f') }), e: symlink('e'), h: dir({}) },
    )
    expect(changes).to.deep.equal(['~a -> x:-> y', '~c -> x:-> x', '-d 1:', '+d.f :1', '+e :-> e', '-e.f 1:'])
  })

  it('reports what cannot be read, and compares the rest; without a listener it throws', async () => {
    const blobs = new Blobs()
    const [lost, alsoLost] = ['1', '2'].map((digit) => raw('dirref', [`sha1-${digit.repeat(40)}`]))
    const [gone, alsoGone] = ['3', '4'].map((digit) => raw('valref', [`sha1-${digit.repeat(40)}`]))
    const a = blobs.tree({ a: lost as Tree, b: gone as Tree, c: val('1'), d: valref('x', 'y') })
    const b = blobs.tree({
      a: alsoLost as Tree,
      b: alsoGone as Tree,
      c: val('2'),
      d: raw('valref', [`sha1-${'5'.repeat(40)}`, `sha1-${'6'.repeat(40)}`]),
    })
    const store = new MemoryStore(blobs)
    const errors: string[] = []
    const changes = await changesOf([store, a], [store, b], { onFault: ({ key }) => errors.push(key) })
    expect(shown(changes)).to.deep.equal(['~c 1:1'])
    expect(errors).to.have.members(['a', 'a', 'b', 'b', 'd'])
    expect(await changesOf([store, a], [store, b]).catch((error) => error)).to.include({ name: 'TreeError' })
  })

  it('stops when its signal is aborted', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const failure = await changesOf([store, blobs.tree({ a: val('1') })], [store, blobs.tree({})], {
      signal: AbortSignal.abort(),
    }).catch((error) => error)
    expect(failure).to.include({ code: 'EINTR' })
  })

  it('compares values that are too large to hold', async () => {
    const [half, third] = [Buffer.alloc(9 << 20, 'a'), Buffer.alloc(6 << 20, 'a')]
    const blobs = new Blobs()
    const a = blobs.tree({ same: valref(half, half), other: valref(half, half) })
    const b = blobs.tree({ same: valref(third, third, third), other: valref(third, third, Buffer.alloc(6 << 20, 'b')) })
    const store = Object.assign(new MemoryStore(blobs), { obeyBudget: true })
    expect(shown(await changesOf([store, a], [store, b]))).to.deep.equal([`~other ${18 << 20}:${18 << 20}`])
  })

  for (const [name, archive] of [
    ['basic', 'dump.tar'],
    ['jobs', 'dump.tgz'],
    ['names', 'dump.tar'],
    ['values', 'dump.tgz'],
    ['sha256', 'dump.tar'],
    ['archives', 'snapshot.iso'],
    ['archives', 'snapshot.zip'],
  ] as const) {
    it(`finds no difference between the store of ${name} and ${archive}`, async () => {
      await using store = await openStore(fixture(name, 'content.sqlite'))
      await using dump = await ArchiveStore.open(fixture(name, archive), { hash: store.hash })
      const { rootref } = await resolveRoot(store)
      const { rootref: dumped } = await resolveRoot(dump)
      expect(shown(await changesOf([store, rootref], [dump, dumped]))).to.deep.equal([])
    })
  }
})

describe('inspect/diff-text', () => {
  async function textsOf(a: Entries, b: Entries): Promise<string> {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const [rootA, rootB] = [blobs.tree(a), blobs.tree(b)]
    const changes = await changesOf([store, rootA], [store, rootB])
    const textOf = (change: Change) => changeText({ store, rootref: rootA }, { store, rootref: rootB }, change)
    return (await Promise.all(changes.map(textOf))).join('')
  }

  it('is a unified diff, which patch(1) could apply', async () => {
    expect(await textsOf({ a: val('1\n2\n3\n') }, { a: val('1\n2\n4\n') })).to.equal(
      '--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n 2\n-3\n+4\n',
    )
    expect(await textsOf({ gone: val('1\n') }, { come: symlink('x', 'n') })).to.equal(
      '--- /dev/null\n+++ b/come\n@@ -0,0 +1,1 @@\n+-> n::x\n--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-1\n',
    )
  })

  it('only says of values that are no text that they differ', async () => {
    expect(await textsOf({ a: val('1') }, { a: valref(Buffer.of(0xff, 0xfe)) })).to.equal(
      'Binary values a/a and b/a differ\n',
    )
    expect(await textsOf({}, { a: valref('1\0') })).to.equal('Binary values /dev/null and b/a differ\n')
    expect(await textsOf({}, { a: valref(Buffer.alloc((4 << 20) + 1, 'a')) })).to.equal(
      'Large values /dev/null and b/a differ\n',
    )
  })

  it('gives up where all is different', async () => {
    const lines = (word: string) => Array.from({ length: 8000 }, (_, i) => `${word} ${i}\n`).join('')
    const texts = await textsOf({ a: valref(lines('old')) }, { a: valref(lines('new')) })
    expect(texts).to.equal('Values a/a and b/a differ in more than 10000 lines\n')
  })
})

describe('inspect/diff-totals', () => {
  it('counts changes below each key of the top level', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const a = blobs.tree({ a: dir({ x: val('1'), y: val('22') }), b: val('old'), c: symlink('x') })
    const b = blobs.tree({ a: dir({ x: val('333'), z: val('4444') }), b: val('n'), c: symlink('y') })
    const totals = new DiffTotals()
    for await (const _ of totals.count(diff({ store, rootref: a }, { store, rootref: b })));
    expect(totals.rows()).to.deep.equal([
      { key: 'a', added: 1, removed: 1, changed: 1, bytes: 4 },
      { key: 'b', added: 0, removed: 0, changed: 1, bytes: -2 },
      { key: 'c', added: 0, removed: 0, changed: 1, bytes: 0 },
      { key: 'total', added: 1, removed: 1, changed: 3, bytes: 2 },
    ])
    expect(totals.changes).to.equal(5)
  })
})
