import { expect } from 'chai'
import { blobrefOf } from '../../src/content/index.ts'
import {
  type DirEntries,
  decodeDir,
  dirrefOf,
  type ScanOptions,
  type ScanVisitor,
  TreeScan,
} from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../support/trees.ts'

/** Keeps a line of everything that a scan comes to; a place is its key. */
class Lines implements ScanVisitor<string> {
  readonly lines: string[] = []
  readonly #seen = new Set<string>()
  readonly #once: boolean

  constructor(once = false) {
    this.#once = once
  }

  onDirref(place: string, name: string, blobref: string): string | undefined {
    if (this.#once && this.#seen.has(blobref)) return undefined
    this.#seen.add(blobref)
    return this.keyOf(place, name)
  }
  onInlineDir(place: string, name: string): string {
    return this.keyOf(place, name)
  }
  onDir(place: string): void {
    this.lines.push(`dir ${place}`)
  }
  onValue(place: string, { name }: DirEntries): void {
    this.lines.push(`value ${this.keyOf(place, name)}`)
  }
  onLink(place: string, { name }: DirEntries): void {
    this.lines.push(`link ${this.keyOf(place, name)}`)
  }
  onBadValue(place: string, name: string, _blobrefs: readonly string[], bad: readonly { index: number }[]): void {
    this.lines.push(`bad ${this.keyOf(place, name)} ${bad.map(({ index }) => index)}`)
  }
  onFault({ kind, key }: { kind: string; key: string }): void {
    this.lines.push(`fault ${key} ${kind}`)
  }
  keyOf(place: string, name: string | undefined): string {
    return name === undefined ? place : place === '.' ? name : `${place}.${name}`
  }
}

async function scan(blobs: Blobs, rootref: string, options: ScanOptions, once = false): Promise<string[]> {
  const store = new MemoryStore(blobs)
  store.obeyBudget = true
  const lines = new Lines(once)
  await new TreeScan(store, lines, options).run([[dirrefOf(rootref), '.']])
  return lines.lines
}

const inner = dir({ v: val('1'), w: valref('2', 'gone', '3') })
const tree: Record<string, Tree> = {
  a: inner,
  b: inner,
  bad: raw('hdir', {}),
  gone: raw('dirref', [blobrefOf('sha1', Buffer.from('gone'))]),
  link: symlink('a'),
  two: raw('dirref', [blobrefOf('sha1', Buffer.from('x')), blobrefOf('sha1', Buffer.from('y'))]),
}

function blobsOf(entries: Record<string, Tree>): { blobs: Blobs; rootref: string } {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  blobs.delete(blobs.store('gone'))
  return { blobs, rootref }
}

const ROOT = ['dir .', 'fault bad bad-treeobj', 'link link', 'fault two bad-dirref']

describe('kvs/tree-scan', () => {
  it('comes to every directory, value, link and fault', async () => {
    const { blobs, rootref } = blobsOf(tree)
    expect(await scan(blobs, rootref, {})).to.have.members([
      ...ROOT,
      ...['dir a', 'value a.v', 'value a.w', 'dir b', 'value b.v', 'value b.w', 'fault gone missing-dir'],
    ])
  })

  it('checks the blobs of values when it is asked to', async () => {
    const { blobs, rootref } = blobsOf(tree)
    const lines = await scan(blobs, rootref, { checkValues: true, byLevel: true })
    expect(lines).to.deep.equal([
      ...ROOT,
      ...['dir a', 'value a.v', 'value a.w', 'dir b', 'value b.v', 'value b.w', 'fault gone missing-dir'],
      ...['bad a.w 1', 'bad b.w 1'],
    ])
  })

  it('goes only where the visitor wants it to', async () => {
    const { blobs, rootref } = blobsOf(tree)
    const lines = await scan(blobs, rootref, {}, true)
    expect(lines.filter((line) => line.startsWith('dir'))).to.deep.equal(['dir .', 'dir a'])
  })

  it('visits what stands inline in a directory, and a root that stands for itself', async () => {
    const blobs = new Blobs()
    const text = `{"data":{"i":${blobs.dirText({ v: val('1') })},"z":${JSON.stringify(val('2'))}},"type":"dir","ver":1}`
    const rootref = blobs.store(text)
    expect(await scan(blobs, rootref, {})).to.deep.equal(['dir .', 'dir i', 'value i.v', 'value z'])
    let settled = 0
    const visitor = Object.assign(new Lines(), {
      async afterBatch() {
        settled++
      },
    })
    const root = decodeDir(Buffer.from(text), '.', undefined)
    await new TreeScan(new MemoryStore(blobs), visitor, {}).run([[root, '.']])
    expect(visitor.lines).to.deep.equal(['dir .', 'dir i', 'value i.v', 'value z'])
    expect(settled).to.equal(1)
  })
})
