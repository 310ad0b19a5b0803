import { run } from './processes.ts'

/** What Python's tarfile says of a member. */
export interface TarMember {
  name: string
  type: string
  size: number
  mode: number
  uid: number
  gid: number
  mtime: number
  linkname: string
  sha256: string
  pax: Record<string, string>
}

const SCRIPT = `
import sys, tarfile, json, hashlib
out = []
with tarfile.open(sys.argv[1], 'r:*') as tar:
    for m in tar:
        data = tar.extractfile(m).read() if m.isreg() else b''
        out.append(dict(name=m.name, type=m.type.decode(), size=m.size, mode=m.mode, uid=m.uid, gid=m.gid, mtime=m.mtime,
            linkname=m.linkname, sha256=hashlib.sha256(data).hexdigest(), pax=m.pax_headers))
json.dump(out, sys.stdout)
`

/** Read a tar, compressed or not, with Python's tarfile: not with a line of ours. */
export function readTar(path: string): TarMember[] {
  return JSON.parse(run('python3', ['-c', SCRIPT, path]).toString())
}

/** A tar without the global header at its beginning, which says what the tar was made of. */
export function withoutOrigin(tar: Buffer): Buffer {
  if (tar.toString('latin1', 156, 157) !== 'g') return tar
  const size = Number.parseInt(tar.toString('latin1', 124, 136), 8)
  return tar.subarray(512 + Math.ceil(size / 512) * 512)
}
