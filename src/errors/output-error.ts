import { FluxError } from './flux-error.ts'

/** Standard output cannot be written: neither can the error be printed there, as JSON. */
export class OutputError extends FluxError {}
