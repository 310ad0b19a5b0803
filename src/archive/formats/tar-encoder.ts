/** The tar encoder, for other formats that produce a tar stream. */
export { TarEncoder } from './tar/encoder.ts'
