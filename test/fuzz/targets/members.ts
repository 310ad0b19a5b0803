/** What a restore makes of the members of an archive: names, records, hard links, and a tree in any order. */
import { tmpdir } from 'node:os'
import { crc32 } from 'node:zlib'
import type { Member } from '../../../src/archive/index.ts'
import { describeUnsupported, recogniseFilter, recogniseFormat } from '../../../src/archive/recognise.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { COMPONENTS_RECORD, LINKNAME_RECORD, originOf, symlinkText, valText } from '../../../src/kvs/index.ts'
import { targetOfMember } from '../../../src/restore/member-key.ts'
import { MemberTree } from '../../../src/restore/member-tree.ts'
import { Selection } from '../../../src/restore/selection.ts'
import { TreeBuilder, type TreeBuilderOptions } from '../../../src/restore/tree-builder.ts'
import { assertSame, type Target } from '../target.ts'

/** A line of an input: fields with tabs between. */
function memberOf(line: string, offset: number): Member {
  const [name = '', kind = '', linkname = '', components, record] = line.split('\t')
  // As the readers leave it.
  const path = name.split('/').filter((component) => !['', '.', '..'].includes(component) && !component.includes('\0'))
  const extra: Record<string, string> = {}
  if (components) extra[COMPONENTS_RECORD] = components
  if (record) extra[LINKNAME_RECORD] = record
  return {
    path: path.join('/') || 'x',
    type: kind.startsWith('l') ? 'symlink' : kind.startsWith('h') ? 'hardlink' : 'file',
    size: 0,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    linkname,
    extra: components || record ? extra : undefined,
    offset,
    data: new Uint8Array(),
    stream: undefined,
  }
}

/** The root of the tree, or the error that it ends with, and what was said. */
async function treeOf(members: readonly Member[], options: TreeBuilderOptions): Promise<unknown> {
  const tree = new TreeBuilder({ ...options, scratchDir: tmpdir() })
  const said: string[] = []
  const into = new MemberTree(tree, new Selection({ strip: members.length % 8 === 7 ? 'a' : '' }), (path) =>
    said.push(path),
  )
  try {
    for (const member of members) {
      if (member.type === 'hardlink') {
        const { leaf, size } = into.targetOf(member)
        into.put(member, leaf, size)
      } else if (member.type === 'symlink') {
        const { target, namespace } = targetOfMember(member.path, member.linkname, member.extra)
        into.put(member, symlinkText(target, namespace), 0)
      } else into.put(member, valText(Buffer.from(member.linkname)), member.linkname.length)
    }
    const { leaves, symlinks, bytes } = tree
    const root = await tree.build(async (blobs) => blobs.map(() => ''))
    return { root, leaves, symlinks, bytes, unreachable: into.unreachable, said }
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    return { error: error.message, said }
  } finally {
    await tree.close()
  }
}

export const members: Target = {
  name: 'members',
  share: 0.5,
  // Directories are spooled in chunks of half a megabyte, for each of two trees.
  budgetBytes: 16 << 20,
  maxBytes: 2048,
  tokens: [
    'a/b\t',
    '/',
    '.',
    '\n',
    '\t',
    'h\t',
    'l\t',
    'ns::a.b',
    '["a","b.c"]',
    '["a/b"]',
    '"x\\u0000"',
    '["__proto__"]',
    '\\ud800',
  ],
  seeds: () =>
    [
      'a/b\tf\t1\na/c/d\tf\t2\ne\tl\ta.b\na/b\th\te\n',
      'x\tf\tv\t["a","b.c"]\ny\th\tx\nz\tl\tq\t\t"ns::\\u00e9"',
      'a\na/b',
      'b/c\na\nb/d\na/b\nb/c',
    ].map((text) => Buffer.from(text)),
  async run(input) {
    const text = input.toString()
    const all = text.split('\n').map((line, i) => memberOf(line, i))
    const plain = await treeOf(all, {})
    if (crc32(input) % 4 > 0) return
    assertSame(
      await treeOf(all, { budgetBytes: 1 }),
      plain,
      'a tree whose directories are read back, and one in memory',
    )
    originOf({ 'FLUX.rootref': text, 'FLUX.restored': text, 'FLUX.skipped': text, 'FLUX.time': text })
    recogniseFilter(input)
    recogniseFormat(input)
    describeUnsupported(input)
  },
  isExpected: () => false,
}
