import type { KvsService } from './kvs-service.ts'

/** What the services of a live instance say of their blobs. */
export interface ServiceStats {
  /** The content cache of rank 0: number of blobs, of those with their bytes, of those not stored yet; and bytes. */
  cache: { count: number; valid: number; dirty: number; size: number }
  /** The backing store; undefined when there is none that is known here. */
  backing: { module: string; objects: number; fileBytes: number | undefined } | undefined
}

/** What only a live instance can do: {@link ContentStore.instance}. */
export interface LiveInstance {
  /** The KVS. Its module may not be loaded. */
  readonly kvs: KvsService

  /** What the services say of their blobs. @throws {FluxError} they do not answer */
  serviceStats(): Promise<ServiceStats>

  /** Tell the instance's state machine how far one is, which keeps systemd from calling a shutdown stuck. */
  notifyStatus(status: string): Promise<void>
}
