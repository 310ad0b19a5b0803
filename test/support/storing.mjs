/**
 * Stores blobs as a restore does, as a process of its own, which may be given limits. Blobs are sent without waiting for
 * those before. Prints as JSON what became of the batches and of the commit.
 *
 *     node storing.mjs STORE BATCHES BLOBS BYTES
 */
import { randomBytes } from 'node:crypto'
import { openStoreWriter } from '../../src/content/index.ts'

const [path, batches, blobs, bytes] = process.argv.slice(2)
const failure = ({ code, message, hint }) => ({ code, message, hint })
const outcome = { stored: 0, failures: [], commit: undefined }
const writer = await openStoreWriter(path)
const underWay = []
let rootref
for (let i = 0; i < Number(batches); i++) {
  const batch = writer.storeBatch(Array.from({ length: Number(blobs) }, () => randomBytes(Number(bytes))))
  underWay.push(
    batch.stored.then(
      () => outcome.stored++,
      (error) => outcome.failures.push(failure(error)),
    ),
  )
  rootref = batch.blobrefs[0]
  await batch.room
}
await Promise.all(underWay)
outcome.commit = await writer.commit({ rootref, sequence: 1, timestamp: 1 }).then(() => 'done', failure)
await writer.close()
console.log(JSON.stringify(outcome))
