/** Looking up, and watching, what the KVS service of a live instance holds. */
import { expect } from 'chai'
import { BrokerStore } from '../../src/content/index.ts'
import { watchKeys } from '../../src/inspect/index.ts'
import { type LookupKind, ServiceReader, type ServiceReaderOptions, type TreeObj } from '../../src/kvs/index.ts'
import { BrokerDouble, type BrokerDoubleOptions } from '../support/broker-double.ts'
import { Blobs, dir, symlink, type Tree, val, valref } from '../support/trees.ts'

const ENTRIES: Record<string, Tree> = {
  a: dir({ b: val('deep'), many: valref('one ', 'two') }),
  big: valref('x'.repeat(1000), 'y'.repeat(1000)),
  link: symlink('a.b'),
  out: symlink('x', 'other'),
  small: val('hello'),
}

function instance(extra: BrokerDoubleOptions = {}) {
  const blobs = new Blobs()
  const rootref = blobs.tree(ENTRIES)
  const other = blobs.tree({ x: val('of another namespace') })
  const content = new Map<string, Uint8Array>()
  /** Make what is in `blobs` known to the broker. */
  const publish = () => {
    for (const [blobref, blob] of blobs) content.set(blobref.slice(blobref.indexOf('-') + 1), blob)
  }
  publish()
  const namespaces = { primary: { rootref, rootseq: 7, owner: -2 }, other: { rootref: other } }
  const commit = (broker: BrokerDouble, entries: Record<string, Tree>) => {
    const rootref = blobs.tree(entries)
    publish()
    broker.commit('primary', rootref)
  }
  return { options: { content, namespaces, ...extra }, other, commit }
}

async function withReader(
  work: (reader: ServiceReader, broker: BrokerDouble, store: BrokerStore) => Promise<unknown>,
  { options, ...choice }: ServiceReaderOptions & { options?: BrokerDoubleOptions } = {},
): Promise<void> {
  await using broker = await BrokerDouble.start(options ?? instance().options)
  await using store = await BrokerStore.open(broker.uri)
  await work(new ServiceReader(store.instance.kvs, choice), broker, store)
}

async function outcome(reader: ServiceReader, key: string, kind: LookupKind): Promise<string> {
  try {
    return textOf(await reader.lookup(key, kind))
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code} ${message}`
  }
}

function textOf(obj: TreeObj): string {
  return obj.type === 'val' ? Buffer.from(obj.data, 'base64').toString() : `${obj.type} ${Object.keys(obj.data).length}`
}

async function read(reader: ServiceReader, key: string): Promise<string[]> {
  const parts: string[] = []
  for await (const batch of reader.read(key)) parts.push(...batch.map((part) => Buffer.from(part).toString()))
  return parts
}

const REF = `sha1-${'0'.repeat(40)}`

describe('kvs/service-reader', () => {
  for (const [key, kind, wanted] of [
    ['small', 'value', 'hello'],
    ['a.many', 'value', 'one two'],
    ['link', 'value', 'deep'],
    ['out', 'value', 'of another namespace'],
    ['a', 'dir', 'dir 2'],
    ['link', 'link', 'symlink 1'],
    ['a', 'treeobj', 'dirref 1'],
    ['a', 'value', 'EISDIR a: Is a directory'],
    ['small', 'dir', 'ENOTDIR small: Not a directory'],
    ['small', 'link', 'EINVAL small: Invalid argument'],
    ['no\nsuch', 'value', 'ENOENT no\\nsuch: No such file or directory'],
    ['', 'value', 'EINVAL an empty key: Invalid argument'],
  ] as const) {
    it(`finds ${JSON.stringify(key)} as ${kind}: ${wanted}`, () =>
      withReader(async (reader) => expect(await outcome(reader, key, kind)).to.equal(wanted)))
  }

  it('looks up in a namespace, and from a directory that is given', () =>
    withReader(
      async (reader, _broker, store) => {
        expect(await outcome(reader, 'x', 'value')).to.equal('of another namespace')
        const { rootref } = await store.instance.kvs.root('primary')
        const at = new ServiceReader(store.instance.kvs, { rootdir: { type: 'dirref', ver: 1, data: [rootref] } })
        expect(await outcome(at, 'small', 'value')).to.equal('hello')
        expect(await read(at, 'a.many')).to.deep.equal(['one two'])
        expect(await outcome(new ServiceReader(store.instance.kvs, { namespace: 'none' }), 'x', 'value')).to.equal(
          'ENOTSUP x: Operation not supported',
        )
      },
      { namespace: 'other' },
    ))

  it('reads a large value part by part, and as a whole where the service cannot', async () => {
    const parts = ['x'.repeat(1000), 'y'.repeat(1000)]
    await withReader(async (reader) => {
      expect(await read(reader, 'big')).to.deep.equal(parts)
      expect(await read(reader, 'link')).to.deep.equal(['deep'])
    })
    const { options } = instance({ unloaded: ['kvs-watch'] })
    await withReader(async (reader) => expect(await read(reader, 'big')).to.deep.equal([parts.join('')]), { options })
  })

  it('reads through links to links, in other namespaces too, without an error in the log of the broker', async () => {
    const blobs = new Blobs()
    const parts = ['a'.repeat(100), 'b'.repeat(100)]
    const rootref = blobs.tree({
      a: dir({ b: dir({ c: valref(...parts) }) }),
      ns: dir({ W: symlink('Z.Y', 'other') }),
      X: dir({ W: symlink('Z.Y') }),
      Z: dir({ Y: symlink('a.b') }),
    })
    const other = blobs.tree({ Z: dir({ Y: symlink('a.b') }), a: dir({ b: dir({ c: valref(...parts) }) }) })
    const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice(5), blob]))
    const namespaces = { primary: { rootref }, other: { rootref: other } }
    await withReader(
      async (reader, broker) => {
        for (const key of ['X.W.c', 'ns.W.c', 'Z.Y.c']) expect(await read(reader, key)).to.deep.equal([parts.join('')])
        expect(await read(reader, 'a.b.c')).to.deep.equal(parts)
        expect(broker.log).to.deep.equal([])
        // What would come of asking for the parts, as the real service has it.
        const stream = broker.requestsOf('kvs-watch.lookup').length
        expect(stream).to.equal(1)
        expect(await outcome(reader, 'X.W.c', 'treeobj')).to.equal('ENOTRECOVERABLE X.W.c: State not recoverable')
        expect(broker.log).to.have.length(1)
      },
      { options: { content, namespaces } },
    )
  })

  it('refuses an answer of another kind than it asked for', () => {
    const { options } = instance({ answers: { 'kvs.lookup': { val: { type: 'valref', ver: 1, data: [REF] } } } })
    return withReader(
      async (reader) => {
        const refused = (name: string) => `EPROTO a: the broker answered with a valref, and not with a ${name}`
        expect(await outcome(reader, 'a', 'value')).to.equal(refused('val'))
        expect(await outcome(reader, 'a', 'dir')).to.equal(refused('dir'))
        expect(await outcome(reader, 'a', 'link')).to.equal(refused('symlink'))
        const [start] = await reader.readStarts([{ key: 'a', obj: { type: 'valref', ver: 1, data: [REF] } }])
        const [opened] = await reader.openDirs([{ key: 'a', obj: { type: 'dirref', ver: 1, data: [REF] } }])
        const said = [start, opened].map((error) => `EPROTO ${(error as Error).message}`)
        expect(said).to.deep.equal([refused('val'), refused('dir')])
      },
      { options },
    )
  })

  it('says of the key that was asked for why it has no value', () =>
    withReader(async (reader) => {
      for (const [key, code] of [
        ['a', 'EISDIR'],
        ['a.none', 'ENOENT'],
        ['none.b', 'ENOENT'],
        ['small.b', 'ENOENT'],
      ] as const) {
        const error = await read(reader, key).catch((error) => error)
        expect(error).to.include({ code, hint: undefined })
        expect(error.message).to.match(new RegExp(`^${key}: `))
      }
    }))

  it('asks for what is in a directory in one go, and not for what it has seen there', () =>
    withReader(async (reader, broker) => {
      const { data } = await reader.lookup('a', 'dir')
      const values = Object.entries(data).map(([name, obj]) => ({ key: `a.${name}`, obj }))
      const starts = await reader.readStarts(values as Parameters<typeof reader.readStarts>[0])
      expect(starts.map(String)).to.deep.equal(['deep', 'one two'].map((text) => String(Buffer.from(text))))
      expect(broker.requestsOf('kvs.lookup')).to.have.length(2)
      const [dir, missing] = await reader.openDirs([
        { key: 'a', obj: { type: 'dirref', ver: 1, data: ['x'] } },
        { key: 'gone', obj: { type: 'dirref', ver: 1, data: ['x'] } },
      ])
      expect(dir).to.have.property('type', 'dir')
      expect(missing).to.have.property('message', 'gone: No such file or directory')
    }))

  it('says what is to be done when the KVS is not loaded', async () => {
    const { options } = instance({ unloaded: ['kvs', 'kvs-watch'] })
    await withReader(
      async (reader) => {
        const error = await reader.lookup('small').catch((error) => error)
        expect(error.message).to.equal('small: Function not implemented')
        expect(error.hint).to.match(/the kvs module is not loaded: --checkpoint/)
      },
      { options },
    )
  })

  it('knows roots and whose they are, namespaces, and waits for versions', () =>
    withReader(async (_reader, _broker, { instance: { kvs } }) => {
      expect(await kvs.root('primary')).to.deep.include({ sequence: 7, owner: 4294967294 })
      expect(await kvs.namespaces()).to.deep.equal([
        { namespace: 'primary', owner: 4294967294, flags: 0 },
        { namespace: 'other', owner: 0, flags: 0 },
      ])
      expect((await kvs.waitVersion('primary', 7)).sequence).to.equal(7)
    }))
})

describe('inspect/watch', () => {
  it('tells what keys hold, and then each change, until there were enough', async () => {
    const { options, commit } = instance()
    await withReader(
      async (reader, broker) => {
        const seen: string[] = []
        for await (const { key, obj } of watchKeys(reader, ['small', 'a.b'], { count: 4 })) {
          seen.push(`${key}=${textOf(obj)}`)
          if (seen.length === 2) commit(broker, { ...ENTRIES, small: val('changed') })
          if (seen.length === 3) commit(broker, { ...ENTRIES, a: dir({ b: val('too') }), small: val('changed') })
        }
        expect(seen).to.deep.equal(['small=hello', 'a.b=deep', 'small=changed', 'a.b=too'])
        // Nothing is left behind in the broker.
        await reader.lookup('small')
        expect(broker.watches).to.equal(0)
      },
      { options },
    )
  })

  it('tells what is appended alone', async () => {
    const { options, commit } = instance()
    await withReader(
      async (reader, broker) => {
        const seen: string[] = []
        for await (const { obj } of watchKeys(reader, ['a.many'], { append: true, count: 3 })) {
          seen.push(textOf(obj))
          if (seen.length === 2) commit(broker, { a: dir({ many: valref('one ', 'two', ' three') }) })
        }
        expect(seen).to.deep.equal(['one ', 'two', ' three'])
      },
      { options },
    )
  })

  for (const [what, entries, message] of [
    ['is removed', { small: val('') }, 'a.many: No such file or directory'],
    ['becomes a directory', { a: dir({ many: dir({}) }) }, 'a.many: Invalid argument'],
    ['is written anew', { a: dir({ many: val('one two') }) }, 'a.many: Invalid argument'],
  ] as const) {
    it(`fails when a key that is watched for appends ${what}`, async () => {
      const { options, commit } = instance()
      await withReader(
        async (reader, broker) => {
          const seen: string[] = []
          const watch = async () => {
            for await (const { obj } of watchKeys(reader, ['a.many'], { append: true, count: 4 })) {
              seen.push(textOf(obj))
              if (seen.length === 2) commit(broker, { a: dir({ many: valref('one ', 'two', ' three') }) })
              if (seen.length === 3) commit(broker, entries)
            }
          }
          expect((await watch().catch((error) => error)).message).to.equal(message)
          expect(seen).to.deep.equal(['one ', 'two', ' three'])
        },
        { options },
      )
    })
  }

  it('fails when a key goes away, and ends the other watches', async () => {
    const { options, commit } = instance()
    await withReader(
      async (reader, broker) => {
        const watch = async () => {
          let answers = 0
          for await (const _ of watchKeys(reader, ['small', 'link'], {}))
            if (++answers === 2) commit(broker, { link: val('') })
        }
        const error = await watch().catch((error) => error)
        expect(error.message).to.equal('small: No such file or directory')
      },
      { options },
    )
  })
})
