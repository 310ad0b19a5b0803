import { Command, Flags, type Interfaces, ux } from '@oclif/core'
import { normalizeArgv } from '@oclif/core/help'
import { stringifyJson } from '../bytes/index.ts'
import { FluxError, printable } from '../errors/index.ts'
import { Complaints, kindOf } from './complaints.ts'
import type { FluxEvents } from './events.ts'
import { EXIT, errorJson, errorLine, exitStatusOf } from './exit-status.ts'
import { escapedJson } from './json-escape.ts'
import { argTerm } from './manual/page.ts'
import { OutputError } from './output.ts'
import { assertNoValues, usageErrorOf } from './parse-error.ts'
import { Progress } from './progress.ts'
import { usageLines } from './usage-lines.ts'
import { isLive } from './verbosity.ts'

/**
 * What every command shares: `--json` and `--help`, errors as one line on stderr with the exit status they stand for,
 * and the events that hooks of a host may listen to.
 */
export abstract class FluxCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    json: Flags.boolean({ summary: 'print the result, or the error, as JSON on standard output', helpGroup: 'GLOBAL' }),
    help: Flags.help({ char: 'h', summary: 'show this help', description: '', helpGroup: 'GLOBAL' }),
  }

  /**
   * A command has a second name below the topic `flux`, if its plugin has that topic: see hooks/init/flux-topic. oclif copies
   * what a class has of its own, so a getter here would not do: the name is given when oclif says which plugin it is of.
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
   * How the command is called, as messages begin: `flux-ts dump`; in a host with its name, and by the alias that was used.
   */
  get called(): string {
    const [typed] = normalizeArgv(this.config)
    const id = typed !== undefined && this.ctor.hiddenAliases.includes(typed) ? typed : (this.id ?? '')
    return `${this.config.bin} ${id.replaceAll(':', this.config.topicSeparator)}`
  }

  readonly #complaints = new Complaints((line) => this.notice(line))

  /**
   * Print a line on stderr that begins with what was called. It stays one line, whatever keys are in it: nobody who names
   * a key is to write lines into a log.
   */
  protected notice(message: string): void {
    process.stderr.write(`${this.called}: ${printable(message)}\n`)
  }

  /**
   * Print what is wrong with one thing of many, as {@link notice} does: all of it with `--verbose`, otherwise the first of
   * each kind, and in the end a count.
   *
   * @param kind - what such messages have in common, in a word or two
   */
  protected readonly complain = (message: string, kind: string): void => {
    this.#complaints.add(message, kind)
  }

  /** As {@link complain}, for what makes the exit status 1 although the command goes on. */
  protected readonly fault = (message: string, kind: string): void => {
    this.complain(message, kind)
    process.exitCode = EXIT.FAILED
  }

  /** As {@link fault}, for an error that is told and not thrown. */
  protected readonly onFault = (error: Error): void => this.fault(errorLine(error), kindOf(error))

  /**
   * Parse the command line, as oclif does, but never take an argument from standard input: oclif waits for one there when
   * it is missing. With `--verbose` every complaint is told, not ten of a kind.
   */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    assertNoValues(argv ?? this.argv, { ...options?.baseFlags, ...options?.flags })
    const args = Object.entries(options?.args ?? {}).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }])
    // Not a spread of the class alone, which leaves out what it inherits.
    const { baseFlags, enableJsonFlag } = options ?? {}
    const all = { ...options, baseFlags, enableJsonFlag, args: Object.fromEntries(args) } as Interfaces.Input<F, B, A>
    const parsed = await super.parse(all, argv)
    this.#complaints.tellsAll = (parsed.flags as { verbose?: boolean }).verbose === true
    return parsed
  }

  /** Take the progress off the terminal, and count the complaints that were not told. */
  protected override async finally(error: Error | undefined): Promise<unknown> {
    this.#progress?.end()
    this.#complaints.end()
    return super.finally(error)
  }

  #progress: Progress | undefined

  /**
   * What shows how far this command is, to be told what is read; undefined when nothing may be shown.
   *
   * @param flags - `quiet`: the command is to say nothing, or lists all it does itself; `isWhole`: all that the store holds
   *   is going to be read, or nearly
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
   * Run the hooks of an event, and wait for them. One that fails is a warning, and makes the exit status 1: what was
   * written stays as it is.
   */
  protected async announce<E extends keyof FluxEvents>(event: E, payload: FluxEvents[E]): Promise<void> {
    const { failures } = await this.config.runHook(event, { ...payload }, undefined, true)
    for (const { plugin, error } of failures) {
      this.notice(`the ${event} hook of ${plugin.name} failed: ${errorLine(error)}`)
      process.exitCode = EXIT.FAILED
    }
  }

  /** As oclif prints JSON, but with whole numbers of 64 bits as they are, and nothing that commands a terminal. */
  override logJson(json: unknown): void {
    const text = escapedJson(stringifyJson(json, 2))
    const theme = this.config.theme?.json
    ux.stdout(theme === undefined ? text : ux.colorizeJson(text, { pretty: false, theme }))
  }

  /** The exit status that an error stands for. A command whose tool has others says so here. */
  protected exitStatus(error: unknown): number {
    return exitStatusOf(error)
  }

  /** Print the error as one line, or as JSON, tell the hooks of `flux:failed`, and set the exit status. */
  protected override async catch(thrown: Error & { oclif?: object }): Promise<unknown> {
    // That is `--help`, which is no failure.
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
    // Whoever reads standard output has had enough (`… - | head`): that needs no words.
    if (error instanceof FluxError && error.code === 'EPIPE') return
    this.notice(errorLine(error))
    if (exitStatusOf(error) === EXIT.USAGE) {
      const args = Object.entries(this.ctor.args).map(([id, arg]) => argTerm({ ...arg, name: arg.name ?? id }))
      process.stderr.write(usageLines([this.called, '[OPTIONS]', ...args].join(' '), `${this.called} --help`))
    }
    if (process.env.DEBUG)
      process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${inspect(error.cause)}\n` : ''}`)
  }
}

function inspect(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
