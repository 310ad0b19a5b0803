/** Trees that system tools archive, and what our reader makes of an archive, in one shape to compare. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Member, openArchive } from '../../src/archive/index.ts'
import type { ExpectedEntry } from './fixtures.ts'

/** A member, without what formats differ in. */
export type Said = Pick<Member, 'path' | 'type' | 'size' | 'linkname'> & { sha256: string }

const sha256 = (parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** A member with its content copied. */
export type Held = Omit<Member, 'data' | 'stream'> & { content: Buffer }

/** All members of an archive, directories too, contents whole. */
export async function readMembers(path: string): Promise<Held[]> {
  await using archive = await openArchive(path)
  const members: Held[] = []
  for await (const batch of archive.batches()) {
    for (const { data, stream, ...member } of batch) {
      const parts: Buffer[] = data ? [Buffer.from(data)] : []
      if (stream) for await (const chunk of stream()) parts.push(Buffer.from(chunk))
      members.push({ ...member, content: Buffer.concat(parts) })
    }
  }
  return members
}

/** Files and links, in the byte order of their paths. */
export function said(members: readonly Held[]): Said[] {
  return members
    .filter(({ type }) => type !== 'directory')
    .map(({ path, type, size, linkname, content }) => ({ path, type, size, linkname, sha256: sha256([content]) }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

/** The same, of what a fixture holds. */
export function saidOf(entries: readonly ExpectedEntry[]): Said[] {
  return entries.map((entry) =>
    entry.type === 'value'
      ? { path: entry.path, type: 'file', size: entry.size, linkname: '', sha256: entry.sha256 }
      : { path: entry.path, type: 'symlink', size: 0, linkname: entry.target, sha256: sha256([]) },
  )
}

/** Paths to contents; a link is `{ to }`. */
export type Tree = Readonly<Record<string, string | Buffer | { to: string }>>

export const TREE: Tree = {
  'a/b/c': 'content\n',
  'a/big': Buffer.alloc(3_000_001, 'a megabyte and more. '),
  bytes: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  'deep/1/2/3/4/5/6/7/8/9/10/leaf': 'deep',
  empty: '',
  link: { to: 'a/b/c' },
  'long/link': { to: `${'to/'.repeat(60)}nowhere` },
  'name with space': '1',
  'ns/link': { to: 'smurf::other.thing' },
  [`long/${'n'.repeat(120)}/${'m'.repeat(99)}`]: 'long name',
  'é/日本/\u{1f600}': 'unicode',
}

export function makeTree(root: string, tree: Tree): void {
  for (const [path, what] of Object.entries(tree)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (typeof what === 'object' && 'to' in what) symlinkSync(what.to, file)
    else {
      writeFileSync(file, what)
      utimesSync(file, 1_700_000_000, 1_700_000_000)
    }
  }
}

export function saidOfTree(tree: Tree): Said[] {
  return Object.entries(tree)
    .map(([path, what]): Said => {
      if (typeof what === 'object' && 'to' in what) {
        return { path, type: 'symlink', size: 0, linkname: what.to, sha256: sha256([]) }
      }
      const content = Buffer.from(what)
      return { path, type: 'file', size: content.length, linkname: '', sha256: sha256([content]) }
    })
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

/** Run a line of shell that must succeed. */
export function shell(line: string, cwd: string, env: Record<string, string> = {}): Buffer {
  const options = { cwd, maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: 'C.UTF-8', ...env } }
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', line], options)
  if (status !== 0) throw new Error(`${line}: ${status} ${stderr}`)
  return stdout
}

/** What reading throws, if it does. */
export async function failure(path: string): Promise<unknown> {
  try {
    await readMembers(path)
  } catch (error) {
    return error
  }
  return undefined
}
