import { FluxError } from '../errors/index.ts'

/** The `code` of wrong usage in `--json`. It is no errno: none says that the caller is to read the usage. */
export const USAGE_CODE = 'EUSAGE'

/** The command was called wrongly: exit status 2, and `EUSAGE` in `--json`. */
export class UsageError extends FluxError {
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super('EINVAL', message, { ...options, hint })
  }
}
