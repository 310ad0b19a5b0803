import { hash as digestHex } from 'node:crypto'
import { expect } from 'chai'
import type { HashName } from '../../src/content/index.ts'
import { type Entry, type SymlinkEntry, TreeHash, type ValueEntry, walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../support/trees.ts'

/** The root that a restore of all entries of a tree makes. */
async function restoredRoot(blobs: Blobs, rootref: string, isUnverified = false): Promise<string | undefined> {
  const hash = new TreeHash(blobs.hash, isUnverified)
  for await (const batch of walk(new MemoryStore(blobs), rootref)) {
    for (const entry of batch) {
      if (entry.type === 'symlink') hash.link(entry)
      else hash.value(entry)
    }
  }
  return hash.root()
}

/** How a restore stores values of 71 and of 72 bytes. */
const [INLINE, BLOB] = ['i'.repeat(71), 'b'.repeat(72)]

/** A tree as a restore makes it. */
const RESTORED: Record<string, Tree> = {
  B: valref(BLOB),
  a: dir({ b: dir({ c: val(INLINE), d: valref(`${BLOB}d`) }), e: dir({ f: val('') }) }),
  'a.b': val('dot'),
  job: dir({ f1: dir({ R: valref('{}'.repeat(50)), to: symlink('a.b', 'other') }), f2: symlink('b::c', 'a') }),
  'qu"ote': valref(`${BLOB}quote`),
  'tab\t': dir({ x: valref(`${BLOB}tab`) }),
  z: symlink('B'),
  é: valref(`${BLOB}é`),
  éa: val('é'),
}

/** @returns the roots of the tree that a restore makes, and of the one that it is made of */
async function roots(restored: Record<string, Tree>, dumped: Record<string, Tree>) {
  const blobs = new Blobs()
  return { restored: blobs.tree(restored), computed: await restoredRoot(blobs, blobs.tree(dumped)) }
}

describe('kvs/tree-hash', () => {
  for (const hash of ['sha1', 'sha256'] as const satisfies HashName[]) {
    it(`gives a tree that a restore has made the same root again: ${hash}`, async () => {
      const blobs = new Blobs(hash)
      const rootref = blobs.tree(RESTORED)
      expect(await restoredRoot(blobs, rootref)).to.equal(rootref)
      expect(await restoredRoot(blobs, rootref, true)).to.equal(rootref)
    })
  }

  it('gives no entries the root of an empty directory', async () => {
    const { restored, computed } = await roots({}, { empty: dir({ deep: dir({}) }) })
    expect(computed).to.equal(restored)
  })

  it('stores each value anew, by its size', async () => {
    const { restored, computed } = await roots(
      { a: valref(BLOB), b: val(INLINE), c: valref(`${BLOB}${INLINE}`), d: val('12'), e: dir({ x: valref(BLOB) }) },
      {
        a: val(BLOB),
        b: valref(INLINE),
        c: valref(BLOB, INLINE),
        d: valref('1', '', '2'),
        e: raw('dir', { x: val(BLOB) }),
      },
    )
    expect(computed).to.equal(restored)
  })

  it('hashes values of several blobs that are joined, and those that are too long for that', async () => {
    const parts = (bytes: number) => [Buffer.alloc(bytes - 1, 'long '), 'x']
    const whole = (bytes: number) => valref(Buffer.concat(parts(bytes).map((part) => Buffer.from(part))))
    const sizes = [72, 65_535, 65_536, 65_537, 200_000]
    const { restored, computed } = await roots(
      Object.fromEntries(sizes.map((bytes) => [`${bytes}`, whole(bytes)])),
      Object.fromEntries(sizes.map((bytes) => [`${bytes}`, valref(...parts(bytes))])),
    )
    expect(computed).to.equal(restored)
  })

  it('splits the text of a link at its first colons', async () => {
    const { restored, computed } = await roots({ l: symlink('b::c', 'a') }, { l: symlink('a::b::c') })
    expect(computed).to.equal(restored)
  })

  it('holds directories of any length', async () => {
    const long = (text: string) => Array.from({ length: 1000 }, (_, i) => [`${text}${i}`, valref(`${BLOB}${text}${i}`)])
    const { restored, computed } = await roots(
      { a: dir(Object.fromEntries(long('a'))), b: dir(Object.fromEntries(long('é'))) },
      { a: dir(Object.fromEntries(long('a'))), b: dir(Object.fromEntries(long('é'))) },
    )
    expect(computed).to.equal(restored)
  })

  it('holds texts that end anywhere in its buffer, of 64 KiB at first', async () => {
    const blobs = new Blobs()
    const trees: Record<string, Tree>[] = [{ ['n'.repeat(300_000)]: valref(BLOB), z: val('é') }]
    for (let left = -10; left < 250; left++) {
      const name = 'n'.repeat(65_536 - 100 - left)
      trees.push({ [name]: valref(BLOB), o: dir({ p: dir({ q: val('é') }), é: val('é') }), z: symlink('é') })
      trees.push({ [name]: valref(BLOB), o: valref(`${BLOB}o`) })
    }
    for (const tree of trees) {
      const rootref = blobs.tree(tree)
      expect(await restoredRoot(blobs, rootref)).to.equal(rootref)
    }
  })

  it('believes the blobref of a value, unless it is told that values are not verified', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: dir({ b: valref(BLOB) }) })
    blobs.set(blobs.store(BLOB), Buffer.from(BLOB.replace('b', 'c')))
    const other = new Blobs().tree({ a: dir({ b: valref(BLOB.replace('b', 'c')) }) })
    expect(await restoredRoot(blobs, rootref, true)).to.equal(other)
    const hash = new TreeHash('sha1')
    for await (const batch of walk(new MemoryStore(blobs), rootref)) {
      for (const entry of batch) hash.value(entry as ValueEntry)
    }
    expect(hash.root()).to.equal(rootref)
  })

  // A walk refuses such names and links, but an archive would have another text in their place.
  for (const [what, odd] of [
    ['name of a value', { name: 'a\ud800' }],
    ['target', { type: 'symlink', target: '\ud800' }],
    ['namespace', { type: 'symlink', target: 'x', namespace: '\udfff' }],
  ] as [string, Partial<ValueEntry | SymlinkEntry>][]) {
    it(`has no root for a ${what} that is not Unicode text`, async () => {
      const blobs = new Blobs()
      const hash = new TreeHash('sha1')
      for await (const batch of walk(new MemoryStore(blobs), blobs.tree({ a: val('1'), b: valref(BLOB) }))) {
        for (const value of batch as ValueEntry[]) {
          const entry = { ...value, ...odd } as Entry
          if (entry.type === 'symlink') hash.link(entry)
          else hash.value(entry)
          hash.value(value)
        }
      }
      expect(hash.root()).to.equal(undefined)
    })
  }

  describe('of a value that is streamed', () => {
    const MIB = 1 << 20
    /** The root of a tree with one value, streamed in the given parts; and what has been passed on. */
    async function streamed(entry: Partial<ValueEntry>, batches: Uint8Array[][], isUnverified = false) {
      const blobs = new Blobs()
      let rootref: string | undefined
      let passed = 0
      for await (const [value] of walk(new MemoryStore(blobs), blobs.tree({ v: valref(BLOB) }))) {
        const hash = new TreeHash('sha1', isUnverified)
        const bytes = (async function* () {
          yield* batches
        })()
        for await (const parts of hash.stream({ ...(value as ValueEntry), ...entry }, bytes)) {
          for (const part of parts) passed += part.length
        }
        rootref = hash.root()
      }
      return { rootref, passed }
    }
    const rootOf = (...blobrefs: string[]) => new Blobs().tree({ v: raw('valref', blobrefs) })
    const sha1 = (bytes: Uint8Array) => `sha1-${digestHex('sha1', bytes, 'hex')}`

    it('takes the blobref of one blob as it is', async () => {
      const { rootref, passed } = await streamed({ size: 100, blobs: 1 }, [[Buffer.alloc(100)]])
      expect(rootref).to.equal(rootOf(sha1(Buffer.from(BLOB))))
      expect(passed).to.equal(100)
      const largest = await streamed({ size: 996_000_000, blobs: 1 }, [])
      expect(largest.rootref).to.equal(rootref)
    })

    it('hashes one blob that is not verified', async () => {
      const bytes = Buffer.alloc(100, 'xyz')
      const batches = [[bytes.subarray(0, 1)], [bytes.subarray(1, 60), bytes.subarray(60)]]
      const { rootref, passed } = await streamed({ size: 100, blobs: 1 }, batches, true)
      expect(rootref).to.equal(rootOf(sha1(bytes)))
      expect(passed).to.equal(100)
    })

    it('makes one blob of several, of as many bytes as were declared', async () => {
      const bytes = Buffer.alloc(3 * MIB, 'xyz')
      const batches = [[bytes.subarray(0, MIB), bytes.subarray(MIB)], [Buffer.from('more')]]
      const { rootref, passed } = await streamed({ size: bytes.length, blobs: 3 }, batches)
      expect(rootref).to.equal(rootOf(sha1(bytes)))
      expect(passed).to.equal(bytes.length + 4)
    })

    it('cuts what is too large for one blob into pieces of 64 MiB', async () => {
      const size = 996_000_001
      // 63 MiB, so that parts do not end where pieces do.
      const part = Buffer.alloc(63 * MIB)
      const batches = Array.from({ length: Math.floor(size / part.length) }, () => [part])
      batches.push([part.subarray(0, size % part.length)])
      const { rootref, passed } = await streamed({ size, blobs: 1 }, batches)
      const piece = sha1(Buffer.alloc(64 * MIB))
      const last = sha1(Buffer.alloc(size % (64 * MIB)))
      expect(rootref).to.equal(rootOf(...Array(Math.floor(size / (64 * MIB))).fill(piece), last))
      expect(passed).to.equal(size)
    })
  })
})
