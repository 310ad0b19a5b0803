import { Command } from '@oclif/core'
import { FluxError } from '../errors/index.ts'
import { errorJson, errorLine, exitStatusOf } from './exit-status.ts'

/** What every command shares: `--json`, and errors as one line on stderr with the exit status they stand for. */
export abstract class FluxCommand extends Command {
  static override enableJsonFlag = true

  /** How the command is called, as messages begin: `flux-ts dump`, or the name of the tool it is a plugin of. */
  get called(): string {
    return `${this.config.bin} ${(this.id ?? '').replaceAll(':', this.config.topicSeparator)}`
  }

  /** Print a line on stderr that begins with what was called. */
  protected notice(message: string): void {
    process.stderr.write(`${this.called}: ${message}\n`)
  }

  /** The exit status that an error stands for. A command whose tool has others says so here. */
  protected exitStatus(error: unknown): number {
    return exitStatusOf(error)
  }

  protected override async catch(error: Error & { oclif?: object }): Promise<unknown> {
    const exit = this.exitStatus(error)
    if (this.jsonEnabled()) {
      process.exitCode = exit
      this.logJson(errorJson(error, exit))
      return
    }
    // Errors of parsing are oclif's, with the usage below them, and so are exits. The rest is printed here.
    if (!(error instanceof FluxError) && error.oclif !== undefined) throw error
    const brokenPipe = error instanceof FluxError && error.code === 'EPIPE'
    // Whoever reads standard output has had enough (`… - | head`): that needs no words.
    if (!brokenPipe) this.notice(errorLine(error))
    if (process.env.DEBUG)
      process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${inspect(error.cause)}\n` : ''}`)
    throw Object.assign(error, { oclif: { exit }, skipOclifErrorHandling: true })
  }
}

function inspect(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
