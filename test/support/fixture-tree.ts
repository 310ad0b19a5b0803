/** What all fixtures hold, as one tree. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readMembers, type Said, type Tree } from './archives.ts'
import { expected, fixture, SOUND_CASES } from './fixtures.ts'
import { run } from './processes.ts'

/** Every value and link of every fixture, below the name of the fixture, out of what the real `flux dump` wrote of it. */
export function fixtureTree(): Promise<Tree> {
  return (tree ??= readFixtures())
}

let tree: Promise<Tree> | undefined

async function readFixtures(): Promise<Tree> {
  const tree: Record<string, Buffer | { to: string }> = {}
  for (const name of SOUND_CASES) {
    const file = ['dump.tar', 'dump.tgz', 'dump-0.tar', 'snapshot.tar'].find((file) => existsSync(fixture(name, file)))
    const hashes = new Map(expected(name).entries.map((entry) => [entry.path, 'sha256' in entry && entry.sha256]))
    for (const { path, type, linkname, content } of await readMembers(fixture(name, file as string))) {
      tree[`${name}/${path}`] = type === 'symlink' ? { to: linkname } : content
      if (type === 'symlink') continue
      const hash = createHash('sha256').update(content).digest('hex')
      if (name !== 'checkpoints' && hash !== hashes.get(path)) throw new Error(`${name}/${path}: not what is expected`)
    }
  }
  return tree
}

/** Walks without a line of ours. */
const SCRIPT = `
import hashlib, json, os, sys
out = []
root = os.fsencode(sys.argv[1])
for top, dirs, files in os.walk(root):
    for name in files + [d for d in dirs if os.path.islink(os.path.join(top, d))]:
        path = os.path.join(top, name)
        said = dict(path=os.fsdecode(os.path.relpath(path, root)))
        if os.path.islink(path):
            said.update(type='symlink', size=0, linkname=os.fsdecode(os.readlink(path)), sha256=hashlib.sha256().hexdigest())
        else:
            data = open(path, 'rb').read()
            said.update(type='file', size=len(data), linkname='', sha256=hashlib.sha256(data).hexdigest())
        out.append(said)
json.dump(out, sys.stdout)
`

/** Files and links below a directory, in the byte order of their paths. */
export function saidOfDirectory(directory: string): Said[] {
  const found = JSON.parse(run('python3', ['-c', SCRIPT, directory]).toString()) as Said[]
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}
