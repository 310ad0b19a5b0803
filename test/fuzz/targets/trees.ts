/** Tree objects (RFC 11): what JSON.parse makes of a directory, and what is read from its bytes. */
import { FluxError } from '../../../src/errors/index.ts'
import { DecodedDir, type DirEntries, ENTRY } from '../../../src/kvs/dir-entries.ts'
import { PlainDir } from '../../../src/kvs/plain-dir.ts'
import { type DirObj, decodeTreeObj, decodeVal, decodeWithInvalid, type TreeObj } from '../../../src/kvs/treeobj.ts'
import { treeObjText } from '../../../src/kvs/treeobj-encode.ts'
import { Blobs, dir, raw, symlink, val, valref } from '../../support/trees.ts'
import { assertSame, type Target } from '../target.ts'

const HASHES = ['sha1', 'sha256'] as const

function seeds(): Buffer[] {
  return HASHES.flatMap((hash) => {
    const blobs = new Blobs(hash)
    blobs.tree({
      a: val('some text'),
      'b.c': valref('one', 'two'),
      d: dir({ x: val(''), é: symlink('a.b', 'primary'), z: symlink('b') }),
      __proto__x: raw('valref', []),
      '10': raw('unknown', {}),
      e: raw('dir', { inner: raw('val', 'YQ=='), more: raw('dir', {}) }),
    })
    blobs.tree({ a: val('x'), b: valref('one'), c: dir({}), d: symlink('q'), e: symlink('q', 'ns') })
    const nested = `{"data":{"target":"a","x":${'['.repeat(20_000)}${']'.repeat(20_000)}},"type":"symlink","ver":1}`
    return [...blobs.values(), nested].map((blob) => Buffer.from(blob)).filter((blob) => blob[0] === 0x7b)
  })
}

/** What a walk sees of each entry. */
function entriesOf(entries: DirEntries): unknown[] {
  const all: unknown[] = []
  while (entries.next()) {
    const { type, name } = entries
    const refs = type === ENTRY.VALREF || type === ENTRY.DIRREF ? refsOf(entries) : undefined
    all.push([type, name, refs ?? membersOf(entries.obj as unknown as Record<string, unknown>)])
  }
  return all
}

/** With the members in one order: the two decoders have links in different ones. */
function membersOf({ type, data }: Record<string, unknown>): unknown {
  return type === 'symlink' ? Object.entries(data as object).sort() : data
}

/** The number of blobrefs, and the digits of the first. */
function refsOf({ refs, refsAt, refCount }: DirEntries): unknown {
  if (refs instanceof Uint8Array) return [refCount, Buffer.from(refs).toString('latin1', refsAt, refsAt + 40)]
  const first = (refs as readonly string[])[0] as string
  return [refCount, first.slice(first.indexOf('-') + 1).slice(0, 40)]
}

function decoded(input: Buffer): TreeObj | FluxError {
  try {
    return decodeWithInvalid(input)
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}

export const trees: Target = {
  name: 'trees',
  budgetBytes: 16 << 20,
  maxBytes: 64 << 10,
  tokens: [
    '{"data":{',
    '},"type":"dir","ver":1}',
    '"},"type":"symlink","ver":1}',
    '":{"data":"","type":"val","ver":1},"',
    '],"type":"valref","ver":1}',
    '],"type":"dirref","ver":1}',
    '":{"data":["sha1-',
    '{"target":"',
    '{"namespace":"n","target":"',
    '"__proto__":',
    '"constructor":',
    '\\ud800',
    '\\u0000',
    'é',
    '😀',
    '[[[[[[[[',
    '{"a":',
    'null',
    '"',
    '\\',
    ',',
  ],
  seeds,
  run(input) {
    const obj = decoded(input)
    for (const hash of HASHES) {
      const plain = PlainDir.of(input, hash)
      if (plain === undefined) continue
      if (obj instanceof FluxError) throw new Error(`the plain form is no tree object: ${obj.message}`)
      assertSame(entriesOf(plain), entriesOf(new DecodedDir(obj as DirObj, false)), `both decoders, ${hash}`)
      const backwards = PlainDir.of(input, hash, true)
      assertSame(entriesOf(backwards as PlainDir), entriesOf(new DecodedDir(obj as DirObj, true)), 'both backwards')
    }
    if (obj instanceof FluxError) throw obj
    const text = treeObjText(obj)
    assertSame(treeObjText(decodeWithInvalid(Buffer.from(text))), text, 'a tree object written twice')
    if (obj.type === 'val') decodeVal(obj)
    decodeTreeObj(input)
  },
  isExpected: (error) => error instanceof FluxError,
}
