/** Restoring to a real Flux, beside its own `flux restore`. */
import { join } from 'node:path'
import { expect } from 'chai'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { type Instance, instanceKinds } from '../support/instances.ts'
import { fluxTsAside } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'
import { Blobs } from '../support/trees.ts'

const CASES = ['basic', 'jobs', 'values', 'archives'] as const
const archiveOf = (name: string) =>
  fixture(name, name === 'archives' ? 'snapshot.zip' : name === 'basic' ? 'dump.tar' : 'dump.tgz')

for (const kind of instanceKinds()) {
  if (!kind.isReal) continue
  for (const hash of ['sha1', 'sha256'] as const) {
    describe(`restore to ${kind.name} that uses ${hash}`, () => {
      let instance: Instance
      const blobs = new Blobs(hash)
      const empty = blobs.tree({})

      before(async () => {
        instance = await kind.start({ blobs, namespaces: {}, checkpoints: [empty] })
      })
      after(() => instance[Symbol.asyncDispose]())

      const cli = (...args: string[]) => fluxTsAside(args, { FLUX_URI: instance.uri })

      for (const name of CASES) {
        it(`makes a key of what is in ${name}`, async () => {
          const restored = await cli('restore', '--json', '--key', `${name}.here`, archiveOf(name))
          expect(restored.stderr).to.equal('')
          const { rootref } = JSON.parse(restored.stdout.toString()) as { rootref: string }
          const treeobj = await instance.run('flux', ['kvs', 'get', '--treeobj', `${name}.here`])
          expect(JSON.parse(treeobj)).to.deep.equal({ data: [rootref], type: 'dirref', ver: 1 })
          const file = join(scratch(), 'back.tar')
          expect((await cli('dump', '-q', '--root', rootref, file)).status).to.equal(0)
          const back = readTar(file).map(({ name, type, linkname, sha256 }) => [name, type, linkname, sha256])
          const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
          expect(back).to.have.deep.members(
            expected(name).entries.map((entry) =>
              entry.type === 'value' ? [entry.path, '0', '', entry.sha256] : [entry.path, '2', entry.target, nothing],
            ),
          )
        })

        // The C tool knows sha1 only, here.
        if (hash === 'sha1') {
          it(`gives the root of ${name} that flux restore gives`, async () => {
            await instance.run('flux', ['restore', '-q', '--key', `${name}.theirs`, archiveOf(name)])
            const [ours, theirs] = await Promise.all(
              [`${name}.here`, `${name}.theirs`].map((key) => instance.run('flux', ['kvs', 'get', '--treeobj', key])),
            )
            expect(ours).to.equal(theirs)
          })
        }
      }

      // The C tool knows sha1 only, here.
      if (hash === 'sha1') {
        for (const extension of ['.tar', '.tgz', '.txz', '.zip', '.cpio', '.iso']) {
          it(`is foreseen by a dump: flux restore makes the recorded root, from a file and a pipe: ${extension}`, async () => {
            for (const name of ['basic', 'jobs'] as const) {
              const file = join(scratch(), `x${extension}`)
              const dumped = await cli('dump', '--json', '--store', fixture(name), file)
              expect(dumped.stderr).to.equal('')
              const { recordedRootref } = JSON.parse(dumped.stdout.toString()) as { recordedRootref: string }
              for (const [key, infile] of [
                ['file', `'${file}'`],
                ['pipe', `- <'${file}'`],
              ]) {
                await instance.run('sh', ['-c', `flux restore -q --key foreseen.${key} ${infile}`])
                const treeobj = await instance.run('flux', ['kvs', 'get', '--treeobj', `foreseen.${key}`])
                expect(JSON.parse(treeobj).data, `${name} ${key}`).to.deep.equal([recordedRootref])
              }
            }
          })
        }
      }

      it('is refused as a checkpoint while the KVS is loaded, and starts the KVS when it was not', async () => {
        const refused = await cli('restore', '--checkpoint', archiveOf('jobs'))
        expect(refused.status).to.equal(1)
        expect(refused.stderr).to.equal('flux-ts restore: please unload kvs module before using --checkpoint\n')
        await instance.unloadKvs()
        for (const option of [[], ['--no-cache']]) {
          const { status, stderr } = await cli('restore', '--checkpoint', ...option, archiveOf('jobs'))
          expect(status).to.equal(0)
          expect(stderr).to.match(
            /restored \d+ keys \(\d+ blobs\)\n.*writing snapshot sha\d+-[0-9a-f]{8} to checkpoint for next KVS start\n$/,
          )
        }
        const file = join(scratch(), 'back.tar')
        expect((await cli('dump', '-q', '--checkpoint', file)).status).to.equal(0)
        expect(readTar(file)).to.have.length(expected('jobs').entries.length)
        const [{ timestamp }] = (await instance.run('flux', ['content', 'checkpoint', 'list', '-n', '--json']))
          .split('\n', 1)
          .map((line) => JSON.parse(line)) as [{ timestamp: number }]
        expect(timestamp).to.equal(readTar(file)[0]?.mtime)
        await instance.run('flux', ['module', 'load', 'kvs'])
        const { path } = expected('jobs').entries[0] as { path: string }
        expect(await instance.run('flux', ['kvs', 'get', path.replaceAll('/', '.')])).not.to.equal('')
      })
    })
  }
}
