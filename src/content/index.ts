export { blobrefHash, blobrefHex, blobrefOf, DIGEST_BYTES, type HashName, isBlobref, parseBlobref } from './blobref.ts'
export { BrokerStore, type OpenBrokerOptions } from './broker/broker-store.ts'
export { BrokerWriter, type OpenBrokerWriterOptions } from './broker/broker-writer.ts'
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
export {
  type BlobResult,
  ContentError,
  type ContentStore,
  type NamespaceRoot,
  type ServiceStats,
  type StoreTotals,
  type Totals,
} from './content-store.ts'
export type { ContentWriter, StoringBatch } from './content-writer.ts'
export { HashingWriter } from './hashing-writer.ts'
export { type KvsLookup, type KvsNamespace, type KvsService, LOOKUP } from './kvs-service.ts'
export { type BlobLoader, type LoadOptions, loadEach, loadInOrder } from './load-each.ts'
export type { OfflineStore } from './offline-store.ts'
export { type OpenStoreOptions, openStore } from './open-store.ts'
export { type OpenStoreWriterOptions, openStoreWriter } from './open-writer.ts'
export { blobsMet, type ReadCounts } from './read-counts.ts'
export { recogniseStore, type StoreOnDisk } from './recognise-store.ts'
