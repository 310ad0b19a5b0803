import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { FluxError, ignoredSignals, limitError, shellWord, throwIfAborted } from '../errors/index.ts'
import { findProgram } from '../files/index.ts'
import { type ConnectOptions, StreamTransport, type Transport, type TransportListener } from './connector.ts'
import type { FluxUri } from './uri.ts'

type SshUri = FluxUri & { scheme: 'ssh' }

/** Where programs are looked for when PATH is not set. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin'

const SSH_HINT = 'FLUX_SSH names the program to use instead of ssh'

/** How much of the end of the child's stderr is kept, for the error. */
const STDERR_BYTES = 8192
/** How long to wait for the child's stderr after its stdout has ended. */
const STDERR_WAIT_MS = 1000
/** How long a child has to end after SIGTERM before it is killed. */
const EXIT_WAIT_MS = 2000

/**
 * Connect to the socket of a broker on another machine, through `ssh` and `flux relay` there.
 *
 * @throws {FluxError} `ENOENT` and the like, ssh cannot be run; `ECONNREFUSED` no connection: the message has what ssh
 *   wrote to stderr; `ECONNRESET` ssh ended without a message; `EPROTO` the other machine wrote something else first;
 *   `EINTR`, `ETIMEDOUT` the signal was aborted
 * @see flux-core `src/connectors/ssh/ssh.c`
 */
export async function connectSsh(uri: SshUri, { env, signal }: ConnectOptions): Promise<Transport> {
  const { FLUX_SSH: command = 'ssh' } = env
  const cannotRun = (error: unknown) => {
    const what = `${uri.text}: cannot run ${command}`
    const known = limitError(error, what)
    return known.hint === undefined ? FluxError.fromSystem(error, what, { hint: SSH_HINT }) : known
  }
  const found = command.includes('/') ? command : findProgram(command, env.PATH ?? USUAL_PATH)
  if (found === undefined) {
    throw new FluxError('ENOENT', `${uri.text}: cannot run ${command}: it is in no directory of PATH`, {
      hint: SSH_HINT,
    })
  }
  const [program = found, ...words] = ignoring(ignoredSignals(), [found, ...sshArguments(uri, env)])
  let child: ChildProcessWithoutNullStreams
  try {
    // Loaded here, because it takes a twentieth of the time of a short command.
    const { spawn } = process.getBuiltinModule('node:child_process')
    child = spawn(program, words, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  } catch (error) {
    throw cannotRun(error)
  }
  // Without descriptors for its pipes there are none, and the error follows.
  if (child.stdout === undefined) throw cannotRun((await once(child, 'error'))[0])
  const transport = new ChildTransport(child, child.stdout, child.stdin)
  const stderr = new Tail(child.stderr)
  const exit = new Promise<void>((resolve, reject) => {
    // Keep this listener: a child that cannot be killed emits another error.
    child.on('error', reject)
    child.stderr.once('close', resolve)
  })
  exit.catch(() => {})
  try {
    const byte = await transport.handshake(signal)
    if (byte === 0) return transport
    // Wait for stderr, but not for ever: a child may never have started, and a start-up file may print without end.
    await Promise.race([exit, sleep(byte === undefined ? STDERR_WAIT_MS : 100, undefined, { ref: false })])
    throw refused(uri, byte, stderr.text)
  } catch (error) {
    await transport.end()
    if (error instanceof FluxError) throw error
    throwIfAborted(signal, `${uri.text}: connecting`)
    throw cannotRun(error)
  }
}

/**
 * The arguments of ssh that connect to `uri`, as in the C connector. ssh gets `--` too, so that nothing in the URI can
 * be an option. A program that FLUX_SSH names may not know `--`; {@link parseUri} refuses such users and hosts anyway.
 *
 * ssh joins the arguments of the remote command with spaces, and the remote shell splits them again, so arguments with
 * special characters are quoted here. `FLUX_SSH_RCMD` is not quoted: it may hold several words.
 *
 * @see flux-core `src/connectors/ssh/ssh.c`, `build_ssh_command`
 */
function sshArguments({ user, host, port, path }: SshUri, env: NodeJS.ProcessEnv): string[] {
  const { FLUX_SSH: ssh, FLUX_SSH_RCMD: flux, LD_LIBRARY_PATH: libraryPath } = env
  const command: string[] = []
  if (port !== undefined) command.push('-p', String(port))
  if (ssh === undefined) command.push('--')
  command.push(user === undefined ? host : `${user}@${host}`)
  if (libraryPath !== undefined || flux === undefined) command.push('env')
  if (flux === undefined) command.push(shellWord(`PATH=${remotePath(path, env.PATH)}`))
  if (libraryPath !== undefined) command.push(shellWord(`LD_LIBRARY_PATH=${libraryPath}`))
  command.push(flux ?? 'flux', 'relay', shellWord(path))
  return command
}

/**
 * Wrap a command so that it ignores signals: after `nohup`, ssh must not end with the terminal. Node.js resets all signals
 * of a child, and only a shell can set them again. Its script is made of names of signals alone; the command is passed as
 * arguments, which no shell parses.
 */
function ignoring(signals: ReadonlySet<NodeJS.Signals>, command: string[]): string[] {
  if (signals.size === 0) return command
  const names = [...signals].map((name) => name.slice('SIG'.length)).join(' ')
  return ['/bin/sh', '-c', `trap '' ${names}; exec "$@"`, 'sh', ...command]
}

/**
 * The PATH to find `flux` on the other machine: `bin` beside the socket, where an instance links it; the directory of
 * our own `flux`; the usual places.
 */
function remotePath(socket: string, localPath: string | undefined): string {
  const dirs = [join(dirname(socket), 'bin')]
  const local = findProgram('flux', localPath ?? '')
  if (local !== undefined) dirs.push(dirname(local))
  return [...dirs, '/bin', '/usr/bin'].join(':')
}

function refused({ text, host }: SshUri, byte: number | undefined, stderr: string): FluxError {
  const said = stderr.trim().replace(/\s*\n\s*/g, '; ')
  if (said !== '') return new FluxError('ECONNREFUSED', `${text}: no connection: ${said}`)
  if (byte === undefined) {
    return new FluxError('ECONNRESET', `${text}: ssh ended without a word`, {
      hint: `try ssh ${host} flux relay by hand`,
    })
  }
  return new FluxError('EPROTO', `${text}: ${host} wrote something else before the broker did`, {
    hint: 'shell start-up files there must not write to stdout when not interactive',
  })
}

/** A transport over a child's stdin and stdout. Closing it ends the child too. */
class ChildTransport implements Transport {
  readonly #child: ChildProcess
  readonly #streams: StreamTransport
  readonly #exit: Promise<void>

  constructor(child: ChildProcess, stdout: Readable, stdin: Writable) {
    this.#child = child
    this.#streams = new StreamTransport(stdout, stdin)
    this.#exit = new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
  }

  handshake(signal: AbortSignal | undefined): Promise<number | undefined> {
    return this.#streams.handshake(signal)
  }

  start(listener: TransportListener): void {
    this.#streams.start(listener)
  }

  write(chunks: readonly Uint8Array[], written: () => void): boolean {
    return this.#streams.write(chunks, written)
  }

  pause(): void {
    this.#streams.pause()
  }

  resume(): void {
    this.#streams.resume()
  }

  async close(): Promise<void> {
    await this.#streams.close()
    await this.end()
  }

  /** Close at once, and wait until the child has ended: it must not outlive us. */
  async end(): Promise<void> {
    this.destroy()
    const timer = setTimeout(() => this.#kill('SIGKILL'), EXIT_WAIT_MS)
    await this.#exit
    clearTimeout(timer)
  }

  destroy(): void {
    this.#streams.destroy()
    this.#kill('SIGTERM')
    this.#child.stderr?.destroy()
  }

  /** A child that could not be started has no pid, and Node's `kill()` would signal an arbitrary process. */
  #kill(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) this.#child.kill(signal)
  }
}

/** Keeps the last {@link STDERR_BYTES} of a stream. */
class Tail {
  text = ''
  constructor(stream: Readable) {
    stream.setEncoding('utf8')
    stream.on('error', () => {})
    stream.on('data', (chunk: string) => {
      this.text = (this.text + chunk).slice(-STDERR_BYTES)
    })
  }
}
