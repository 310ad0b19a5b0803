import { FluxError } from '../errors/index.ts'

/**
 * The `code` of wrong usage in `--json`. It is not an errno name, because none means that the command line is wrong.
 */
export const USAGE_CODE = 'EUSAGE'

/** The command was called wrongly: exit status 2, and `EUSAGE` in `--json`. */
export class UsageError extends FluxError {
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super('EINVAL', message, { ...options, hint })
  }
}
