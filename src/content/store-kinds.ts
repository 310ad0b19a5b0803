import { filesKind } from './files/index.ts'
import { sqliteKind } from './sqlite/index.ts'
import type { StoreKind } from './store-kind.ts'

/** The kinds of content store on disk. In a state directory without a store, one of the first kind is made. */
export const STORE_KINDS: StoreKind[] = [sqliteKind, filesKind]
