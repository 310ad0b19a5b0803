/** The tar stream, for formats that are made of one. */
export { TarEncoder } from './tar/encoder.ts'
