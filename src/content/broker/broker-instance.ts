import { FluxError } from '../../errors/index.ts'
import { type Flux, RpcError } from '../../flux/index.ts'
import type { KvsService } from '../kvs-service.ts'
import type { LiveInstance, ServiceStats } from '../live-instance.ts'
import type { ReadCounts } from '../read-counts.ts'
import { BrokerKvs } from './broker-kvs.ts'
import { fetchError } from './instance.ts'

/** The modules that can be the backing store. */
const BACKING_MODULES = ['content-sqlite', 'content-files']

/** The services of a live instance, besides those that load blobs. */
export class BrokerInstance implements LiveInstance {
  readonly kvs: KvsService
  readonly #flux: Flux

  /** @param counts - the counts of the store; `keys` counts the KVS's answers */
  constructor(flux: Flux, counts: ReadCounts) {
    this.kvs = new BrokerKvs(flux, counts)
    this.#flux = flux
  }

  async serviceStats(): Promise<ServiceStats> {
    const ask = async (module: string) => (await this.#flux.rpc(`${module}.stats-get`, undefined, { nodeid: 0 })) ?? {}
    const { count, valid, dirty, size } = await ask('content').catch((error) => {
      throw fetchError(error, 'error fetching content statistics', {})
    })
    let backing: ServiceStats['backing']
    for (const module of BACKING_MODULES) {
      const stats = await ask(module).catch((error) => {
        if (error instanceof RpcError && error.code === 'ENOSYS') return undefined
        throw error
      })
      if (stats === undefined) continue
      const fileBytes = stats.dbfile_size === undefined ? undefined : Number(stats.dbfile_size)
      backing = { module, objects: Number(stats.object_count), fileBytes }
      break
    }
    const cache = { count: Number(count), valid: Number(valid), dirty: Number(dirty), size: Number(size) }
    for (const [module, numbers] of [
      ['content', cache],
      [backing?.module, { objects: backing?.objects ?? 0, fileBytes: backing?.fileBytes ?? 0 }],
    ] as const) {
      if (Object.values(numbers).every(Number.isFinite)) continue
      throw new FluxError('EPROTO', `${this.#flux.uri}: the response of ${module}.stats-get lacks a number`)
    }
    return { cache, backing }
  }

  async notifyStatus(status: string): Promise<void> {
    await this.#flux.send('state-machine.sd-notify', { status })
  }
}
