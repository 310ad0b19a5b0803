import { Command, Flags, type Interfaces, ux } from '@oclif/core'
import { normalizeArgv } from '@oclif/core/help'
import { stringifyJson } from '../bytes/index.ts'
import { messageLine, OutputError, printableLines } from '../errors/index.ts'
import { Complaints, kindOf } from './complaints.ts'
import type { FluxEvents } from './events.ts'
import { EXIT, errorJson, errorLine, exitStatusOf } from './exit-status.ts'
import { escapedJson } from './json-escape.ts'
import { argTerm } from './manual/page.ts'
import { assertNoValues, usageErrorOf } from './parse-error.ts'
import { Progress } from './progress.ts'
import { usageLines } from './usage-lines.ts'
import { isLive } from './verbosity.ts'

/**
 * The base of every command: `--json` and `--help`, errors as one line on stderr with their exit status, and the events
 * that the hooks of a host can listen to.
 */
export abstract class FluxCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    json: Flags.boolean({ summary: 'print the result, or the error, as JSON on standard output', helpGroup: 'GLOBAL' }),
    help: Flags.help({ char: 'h', summary: 'show this help', description: '', helpGroup: 'GLOBAL' }),
  }

  /**
   * A command has a second name below the topic `flux`, if its plugin has that topic: see hooks/init/flux-topic. The
   * alias is added when oclif sets the plugin of the class. A getter would not work, because oclif copies only own
   * properties.
   */
  static {
    Object.defineProperty(FluxCommand, 'plugin', {
      set(this: typeof FluxCommand, plugin: Interfaces.Plugin | undefined) {
        Object.defineProperty(this, 'plugin', { value: plugin, writable: true, configurable: true, enumerable: true })
        if (plugin?.pjson.oclif.topics?.flux && !this.hidden) this.hiddenAliases = [`flux:${this.id}`]
      },
    })
  }

  /**
   * The start of each message: the name of the tool and of the command, as it was typed: `flux-ts dump`. In a host it
   * is the host's name.
   */
  get called(): string {
    const [typed] = normalizeArgv(this.config)
    const id = typed !== undefined && this.ctor.hiddenAliases.includes(typed) ? typed : (this.id ?? '')
    return `${this.config.bin} ${id.replaceAll(':', this.config.topicSeparator)}`
  }

  readonly #complaints = new Complaints((line) => this.notice(line))

  /**
   * Print a line on stderr that begins with {@link called}. Control characters are escaped, so that a key cannot write
   * lines of its own into a log. The middle of a long line is left out: `--json` has the whole.
   */
  protected notice(message: string): void {
    process.stderr.write(`${this.called}: ${messageLine(message)}\n`)
  }

  /**
   * Print a warning, as {@link notice} does. Without `--verbose` only the first ten of each kind are printed, and a
   * count at the end.
   *
   * @param kind - one or two words, by which messages are counted
   */
  protected readonly complain = (message: string, kind: string): void => {
    this.#complaints.add(message, kind)
  }

  /** As {@link complain}, and set the exit status to 1. The command goes on. */
  protected readonly fault = (message: string, kind: string): void => {
    this.complain(message, kind)
    process.exitCode = EXIT.FAILED
  }

  /** As {@link fault}, for an error that is printed and not thrown. */
  protected readonly onFault = (error: Error): void => this.fault(errorLine(error), kindOf(error))

  /**
   * Parse the command line as oclif does, but never read a missing argument from standard input, as oclif would.
   *
   * @throws {UsageError} a value for a flag that takes none
   */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    assertNoValues(argv ?? this.argv, { ...options?.baseFlags, ...options?.flags })
    const args = Object.entries(options?.args ?? {}).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }])
    // A spread of the class would leave out inherited members, so these are named.
    const { baseFlags, enableJsonFlag } = options ?? {}
    const all = { ...options, baseFlags, enableJsonFlag, args: Object.fromEntries(args) } as Interfaces.Input<F, B, A>
    const parsed = await super.parse(all, argv)
    this.#complaints.tellsAll = (parsed.flags as { verbose?: boolean }).verbose === true
    return parsed
  }

  /** Remove the progress line, and print how many warnings were only counted. */
  protected override async finally(error: Error | undefined): Promise<unknown> {
    this.#progress?.end()
    this.#complaints.end()
    return super.finally(error)
  }

  #progress: Progress | undefined

  /**
   * The progress line of this command; undefined when nothing may be shown.
   *
   * @param flags - `quiet`: show nothing; `isWhole`: the command reads (nearly) everything that the store holds, so the
   *   line can show the part that is done
   *
   * @internal
   */
  protected progress({
    quiet = false,
    isWhole = false,
  }: {
    quiet?: boolean
    isWhole?: boolean
  } = {}): Progress | undefined {
    if (quiet || this.jsonEnabled() || !isLive('normal')) return undefined
    this.#progress ??= new Progress()
    this.#progress.isWhole ||= isWhole
    return this.#progress
  }

  /**
   * Run the hooks of an event, and wait for them. If one fails, print a warning and set the exit status to 1; the
   * written result stays.
   */
  protected async announce<E extends keyof FluxEvents>(event: E, payload: FluxEvents[E]): Promise<void> {
    const { failures } = await this.config.runHook(event, { ...payload }, undefined, true)
    for (const { plugin, error } of failures) {
      this.notice(`the ${event} hook of ${plugin.name} failed: ${errorLine(error)}`)
      process.exitCode = EXIT.FAILED
    }
  }

  /** Print JSON as oclif does, but with exact 64-bit integers, and with control characters escaped. */
  override logJson(json: unknown): void {
    const text = escapedJson(stringifyJson(json, 2))
    const theme = this.config.theme?.json
    ux.stdout(theme === undefined ? text : ux.colorizeJson(text, { pretty: false, theme }))
  }

  /** The exit status for an error. A command with other exit statuses overrides this. */
  protected exitStatus(error: unknown): number {
    return exitStatusOf(error)
  }

  /** Print the error as one line or as JSON, run the hooks of `flux:failed`, and set the exit status. */
  protected override async catch(thrown: Error & { oclif?: object }): Promise<unknown> {
    // `--help` ends by an error with exit status 0.
    if (exitStatusOf(thrown) === EXIT.DONE) throw thrown
    this.#complaints.end()
    const error = usageErrorOf(thrown) ?? thrown
    const exit = this.exitStatus(error)
    if (this.jsonEnabled() && !(error instanceof OutputError)) this.logJson(errorJson(error, exit))
    else this.#print(error)
    await this.announce('flux:failed', { command: this.id ?? '', error, exit })
    process.exitCode = exit
    if (this.jsonEnabled()) return
    throw Object.assign(error, { oclif: { exit }, skipOclifErrorHandling: true })
  }

  #print(error: Error): void {
    // The reader of standard output has closed it (`… - | head`): no message needed.
    if (error instanceof OutputError && error.code === 'EPIPE') return
    this.notice(errorLine(error))
    if (exitStatusOf(error) === EXIT.USAGE) {
      const args = Object.entries(this.ctor.args).map(([id, arg]) => argTerm({ ...arg, name: arg.name ?? id }))
      process.stderr.write(usageLines([this.called, '[OPTIONS]', ...args].join(' '), `${this.called} --help`))
    }
    if (process.env.DEBUG)
      process.stderr.write(
        printableLines(`${error.stack}\n${error.cause ? `caused by ${inspect(error.cause)}\n` : ''}`),
      )
  }
}

function inspect(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
