export { CHUNK_BYTES, ChunkWriter } from './chunk-writer.ts'
export { parseJson, stringifyJson } from './json.ts'
export { lz4DecodeBlock } from './lz4.ts'
export { lz4EncodeBlock } from './lz4-encode.ts'
