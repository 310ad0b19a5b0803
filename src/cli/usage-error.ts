import { FluxError } from '../errors/index.ts'

/** The command was called wrongly: exit status 2. */
export class UsageError extends FluxError {
  constructor(message: string, hint?: string) {
    super('EINVAL', message, { hint })
  }
}
