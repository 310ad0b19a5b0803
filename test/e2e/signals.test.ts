/** Signals, and pipes whose other end nobody opens. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, run } from '../support/processes.ts'

const COMMANDS = [
  ['dump', '-q', '--store', fixture('basic'), '--format', 'tar'],
  ['restore', '-q', '--dry-run'],
  ['archive', 'info'],
  ['kvs', 'ls', '--archive'],
]

/** The signals that a process catches, by its mask in /proc; 0 before it has begun. */
function caught(pid: number): number {
  const path = `/proc/${pid}/status`
  const mask = existsSync(path) ? /SigCgt:\s*(\S+)/.exec(readFileSync(path, 'latin1'))?.[1] : undefined
  return Number.parseInt(mask?.slice(-4) ?? '0', 16)
}
const HUP = 1
const INT = 2

/** Somebody who opens a pipe, and then says nothing. Settles when it is opened at the other end too. */
async function silentWriter(path: string): Promise<ChildProcess> {
  const writer = spawn('sh', ['-c', 'exec 3> "$0"; echo opened; exec sleep 1000', path])
  await new Promise((resolve) => writer.stdout.once('data', resolve))
  return writer
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

interface Ended {
  status: number | null
  signal: NodeJS.Signals | null
  stderr: string
}

/** Start the CLI as a person does: by its first line, not by node. */
function start(args: readonly string[], script = 'exec "$0" "$@"') {
  const env = cleanEnv({ PATH: `${join(process.execPath, '..')}:${process.env.PATH}` })
  const child = spawn('sh', ['-c', script, CLI, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (status, signal) => resolve({ status, signal, stderr })),
  )
  return { child, pid: child.pid as number, ended }
}

describe('flux-ts, signalled', () => {
  for (const command of COMMANDS) {
    const name = command
      .slice(0, command[0] === 'dump' ? 1 : 2)
      .join(' ')
      .replace(' -q', '')
    it(`ends ${name} while it waits for the other end of a pipe`, async () => {
      const path = join(scratch(), 'pipe')
      run('mkfifo', [path])
      const { child, pid, ended } = start([...command, path])
      // Node itself catches others.
      await until(() => (caught(pid) & HUP) !== 0)
      // A moment for it to get to the pipe. Whenever it comes, it must end.
      await new Promise((resolve) => setTimeout(resolve, 100))
      child.kill('SIGTERM')
      expect(await ended).to.deep.include({ status: 130, signal: null })
    })
  }

  it('ends while it reads from a pipe that says nothing', async () => {
    const path = join(scratch(), 'pipe')
    run('mkfifo', [path])
    const { child, ended } = start(['archive', 'info', path])
    const writer = await silentWriter(path)
    child.kill('SIGINT')
    expect(await ended).to.deep.include({ status: 130, signal: null })
    writer.kill()
  })

  for (const [signal, means, script] of [
    ['SIGINT', 'trap', `trap '' INT; exec "$0" "$@"`],
    ['SIGHUP', 'nohup', 'exec nohup "$0" "$@"'],
  ] as const) {
    it(`goes on ignoring ${signal} after ${means}, and hears the others`, async () => {
      const path = join(scratch(), 'pipe')
      run('mkfifo', [path])
      const { child, ended } = start(['archive', 'info', path], script)
      const writer = await silentWriter(path)
      child.kill(signal)
      // Signals of lower numbers come first: it would have died of this one, or told it.
      child.kill('SIGTERM')
      expect(await ended).to.deep.equal({
        status: 130,
        signal: null,
        stderr: 'flux-ts archive info: interrupted by SIGTERM\n',
      })
      writer.kill()
    })
  }

  it('has ssh ignore what it ignores itself, and nothing else', async () => {
    const ssh = join(scratch(), 'ssh')
    writeFileSync(ssh, '#!/bin/sh\ngrep SigIgn: /proc/self/status >&2\nexit 1\n', { mode: 0o755 })
    for (const [names, mask] of [
      ['HUP', HUP],
      ['HUP INT', HUP | INT],
      ['', 0],
    ] as const) {
      const ignore = names ? `trap '' ${names}; ` : ''
      const script = `${ignore}FLUX_SSH='${ssh}' exec "$0" "$@"`
      const { stderr } = await start(['kvs', 'ls', '--uri', 'ssh://host/socket'], script).ended
      expect(Number.parseInt(/SigIgn:\S*?([0-9a-f]+)$/m.exec(stderr)?.[1] ?? '', 16) & (HUP | INT)).to.equal(mask)
    }
  })
})
