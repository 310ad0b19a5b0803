import { type ContentStore, MAX_CHECKPOINTS } from '../../content/index.ts'
import { grouped } from '../../errors/index.ts'

/** A line for a store with more checkpoints than are read, after they have been read; undefined for any other. */
export function olderCheckpoints({ name, onDisk }: ContentStore): string | undefined {
  if (!onDisk?.hasOlderCheckpoints) return undefined
  return `${name}: has more than ${grouped(MAX_CHECKPOINTS)} checkpoints: older ones are not read`
}
