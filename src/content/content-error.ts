import { type ErrnoName, FluxError } from '../errors/index.ts'

/**
 * One blob cannot be loaded: `ENOENT` missing, `EBADMSG` altered, `EIO` not readable (a broker may also send `EINVAL`),
 * `EFBIG` larger than the caller accepts.
 */
export class ContentError extends FluxError {
  readonly blobref: string

  constructor(code: ErrnoName, blobref: string, what: string, options?: ErrorOptions) {
    super(code, what, options)
    this.blobref = blobref
  }
}
