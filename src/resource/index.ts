/** The words of Flux for resources: sets of ranks and lists of hosts. Nothing here reads a file or a store. */
export { Hostlist } from './hostlist.ts'
export { Idset } from './idset.ts'
