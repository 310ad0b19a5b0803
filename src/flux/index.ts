export { Flux, type FluxOpenOptions, type RpcOptions, type RpcStreamOptions } from './flux.ts'
export { FrameParser, MAX_MESSAGE_BYTES, writeFrameHeader } from './framing.ts'
export { decodeJson, encodeJson, type JsonObject, type JsonValue } from './json-payload.ts'
export {
  type ControlMessage,
  decodeMessage,
  type EventMessage,
  encodeMessage,
  type Message,
  type RequestMessage,
  type ResponseMessage,
} from './message.ts'
export { FLAG, MATCHTAG_NONE, NODEID_ANY, ROLE_NONE, TYPE, USERID_UNKNOWN } from './proto.ts'
export type { BatchResult, RpcBatch, RpcBatchOptions } from './rpc-batch.ts'
export { RpcFailure } from './rpc-call.ts'
export { ProtocolError, RpcError, type RpcErrorOptions } from './rpc-error.ts'
export type { SilenceOptions, SilenceRule } from './silence.ts'
export { checkUri, DEFAULT_URI, defaultUri, type FluxUri, parseUri } from './uri.ts'
