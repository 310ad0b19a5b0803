import type { KvsService } from './kvs-service.ts'

/** What the services of a live instance report about their blobs. */
export interface ServiceStats {
  /**
   * The content cache of rank 0: number of blobs; of blobs whose bytes it has; of blobs not yet in the backing store;
   * and bytes.
   */
  cache: { count: number; valid: number; dirty: number; size: number }
  /** The backing store; undefined when no module that we know is loaded. */
  backing: { module: string; objects: number; fileBytes: number | undefined } | undefined
}

/** What only a live instance can do: {@link ContentStore.instance}. */
export interface LiveInstance {
  /** The KVS. Its module may not be loaded. */
  readonly kvs: KvsService

  /** Ask the services about their blobs. @throws {FluxError} a service answers with an error */
  serviceStats(): Promise<ServiceStats>

  /** Report progress to the instance's state machine, so that systemd does not take a slow shutdown for a stuck one. */
  notifyStatus(status: string): Promise<void>
}
