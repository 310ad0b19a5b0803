/** Connections to a broker that cannot be made, or are lost, and brokers that say nothing. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  type BrokerCase,
  brokerMatrix,
  brokerOf,
  reachedBy,
  SILENCE_WARNING,
  TIMEOUT,
  unhandled,
} from '../support/broker-case.ts'
import type { Scene } from '../support/fault-case.ts'
import { run } from '../support/processes.ts'

const FEW_RETRIES = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '0' }

/** A dump from a socket that is made by the case. */
function socketCase(name: string, make: (path: string) => void | Promise<void>, error: RegExp): BrokerCase {
  return {
    name,
    older: true,
    prepare: async (scene) => {
      scene.held.path = join(scene.out, '..', 'socket')
      await make(scene.held.path as string)
      return undefined
    },
    env: ({ held }) => ({ FLUX_URI: `local://${held.path}`, ...FEW_RETRIES }),
    error,
  }
}

/** A dump from a URI that names no socket. */
function uriCase(name: string, uri: string, error: RegExp): BrokerCase {
  return { name, env: () => ({ FLUX_URI: uri, ...FEW_RETRIES }), error }
}

/** A program in place of ssh. */
function sshCase(name: string, script: string, rest: Omit<BrokerCase, 'name' | 'env' | 'prepare'>): BrokerCase {
  return {
    name,
    older: true,
    prepare: (scene) => {
      scene.held.ssh = join(scene.out, '..', 'ssh')
      writeFileSync(scene.held.ssh as string, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      return undefined
    },
    // The last argument is the path of the socket; see RELAY.
    env: (scene) => ({
      FLUX_SSH: scene.held.ssh as string,
      FLUX_SSH_RCMD: 'flux',
      FLUX_URI: `ssh://host1${brokerOf(scene).uri.slice('local://'.length)}`,
    }),
    ...rest,
  }
}

/** Shell: pass bytes between stdin, stdout and the socket that the last argument names, and run JavaScript on what comes. */
function relay(onData = ''): string {
  const program = `const s = require("net").connect(process.argv.at(-1)); let bytes = 0
    process.stdin.pipe(s); s.pipe(process.stdout); s.on("close", () => process.exit())
    s.on("data", (chunk) => { bytes += chunk.length; ${onData} })`
  return `exec '${process.execPath}' -e '${program}' "$@"`
}

/** Whoever may read any file may connect to any socket: take that right away. */
function withoutRights(): string[] {
  const rights = '-dac_override,-dac_read_search'
  return process.getuid?.() === 0 ? ['setpriv', `--bounding-set=${rights}`] : []
}

brokerMatrix('dump when the connection', [
  {
    name: 'is closed before the broker lets it in',
    older: true,
    broker: () => ({ handshake: 'close' }),
    error: /^flux-ts dump: local:\S+: the broker closed the connection at once; it may be shutting down.*$/,
  },
  {
    name: 'is refused to this user',
    older: true,
    broker: () => ({ handshake: 1 }),
    error: /^flux-ts dump: local:\S+: the broker refused the connection: Operation not permitted; .*guests.*$/,
  },
  {
    name: 'is refused with an error number that nobody knows',
    broker: () => ({ handshake: 250 }),
    error: /^flux-ts dump: local:\S+: the broker refused the connection: errno 250$/,
  },
  {
    name: 'is closed when the first request has come',
    older: true,
    broker: () => ({ fault: { after: 1, kind: 'drop' } }),
    error: /^flux-ts dump: local:\S+: lost the connection to the broker; .*$/,
  },
  {
    name: 'is closed in the walk',
    older: true,
    broker: () => ({ fault: { after: 120, kind: 'drop' } }),
    error: /^flux-ts dump: local:\S+: lost the connection to the broker; .*$/,
  },
  {
    name: 'is closed in the middle of a frame',
    older: true,
    broker: () => ({ fault: { after: 120, kind: 'truncated' } }),
    error: /^flux-ts dump: local:\S+: lost the connection to the broker in the middle of a message; .*$/,
  },
  {
    name: 'is lost because the broker is killed in the walk',
    older: true,
    ownProcess: { at: 100, signal: 'SIGKILL' },
    error:
      /^flux-ts dump: local:\S+: lost the connection to the broker.*; the instance has ended, or its broker was killed$/,
  },
  {
    name: 'is lost because the broker is killed before the dump into a directory has its root',
    outfile: 'x/',
    ownProcess: { at: 3, signal: 'SIGKILL' },
    error:
      /^flux-ts dump: local:\S+: lost the connection to the broker; the instance has ended, or its broker was killed$/,
  },
])

brokerMatrix('dump when the broker is silent:', [
  {
    name: 'it accepts, and never lets anyone in',
    older: true,
    broker: () => ({ handshake: 'silent' }),
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error:
      /^flux-ts dump: local:\S+: no answer for [\d.]+ s, waiting for the broker to let us in; is the broker stopped.*$/,
  },
  {
    name: 'it never answers one request of the walk',
    older: true,
    broker: () => ({ fault: { after: 120, kind: 'silence' } }),
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error:
      /^flux-ts dump: local:\S+: no answer for [\d.]+ s, waiting for content-backing\.load; is the broker stopped.*$/,
  },
  {
    name: 'its process is stopped in the walk',
    older: true,
    ownProcess: { at: 100, signal: 'SIGSTOP' },
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error:
      /^flux-ts dump: local:\S+: no answer for [\d.]+ s, waiting for content-backing\.load; is the broker stopped.*$/,
  },
  {
    name: 'its process is stopped, and the dump is interrupted',
    older: true,
    ownProcess: { at: 100, signal: 'SIGSTOP' },
    during: async (scene, running) => {
      await reachedBy(scene)
      running.kill('SIGINT')
    },
    status: 130,
    error: /^flux-ts dump: interrupted by SIGINT$/,
  },
  {
    name: 'its process is stopped, and a second signal comes while a restore still tries to send',
    prepare: (scene) => {
      // More than a socket takes.
      const dir = join(scene.out, '..', 'large')
      mkdirSync(dir)
      for (let i = 0; i < 40; i++) writeFileSync(join(dir, `value${i}`), Buffer.alloc(100_000, `${i}`))
      scene.held.archive = join(scene.out, '..', 'large.tar')
      run('tar', ['cf', scene.held.archive as string, '-C', dir, '.'])
      return undefined
    },
    ownProcess: { at: 3, signal: 'SIGSTOP' },
    args: ({ held }) => ['restore', '-q', '--key', 'a', held.archive as string],
    during: async (scene, running) => {
      await reachedBy(scene)
      running.kill('SIGINT')
      await unhandled(2, running)
      running.kill('SIGINT')
    },
    status: 'SIGINT',
  },
])

brokerMatrix('dump when the socket', [
  socketCase(
    'is a file',
    (path) => writeFileSync(path, ''),
    /^flux-ts dump: local:\S+: no broker listens on this socket; .*$/,
  ),
  socketCase('is a directory', (path) => mkdirSync(path), /^flux-ts dump: local:\S+: .*$/),
  socketCase(
    'is gone',
    () => {},
    /^flux-ts dump: local:\S+: broker socket \S+ was not found; is the instance running.*$/,
  ),
  socketCase(
    'is in what is no directory',
    (path) => {
      writeFileSync(join(path, '..', 'file'), '')
      rmSync(path, { force: true })
    },
    /^flux-ts dump: local:\S+: broker socket \S+ was not found; .*$/,
  ),
  socketCase(
    'was left by a broker that has ended',
    (path) => {
      const program =
        'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
      spawnSync(process.execPath, ['-e', program, path])
    },
    /^flux-ts dump: local:\S+: no broker listens on this socket; the instance has ended without removing it$/,
  ),
  {
    name: 'is in a directory that this user may not enter',
    older: true,
    prepare: async (scene) => {
      const dir = join(scene.out, '..', 'closed')
      mkdirSync(dir)
      const server = createServer().listen(join(dir, 'local'))
      await once(server, 'listening')
      chmodSync(dir, 0)
      scene.held.uri = `local://${join(dir, 'local')}`
      return () => {
        chmodSync(dir, 0o700)
        server.close()
      }
    },
    through: withoutRights,
    env: ({ held }) => ({ FLUX_URI: held.uri as string, ...FEW_RETRIES }),
    error: /^flux-ts dump: local:\S+: cannot connect: Permission denied$/,
  },
  uriCase(
    'has a path of 108 bytes',
    `local:///${'x'.repeat(107)}`,
    /^flux-ts dump: local:\S+: the path has 108 bytes, a socket's can have 107; a symbolic link to its directory makes it shorter$/,
  ),
  uriCase('is named by nothing', '', /^flux-ts dump: the URI is empty; is FLUX_URI set to nothing.*$/),
  uriCase(
    'is named with another scheme',
    'https://host/run/flux/local',
    /^flux-ts dump: https:\S+: unknown scheme https; .*$/,
  ),
  uriCase(
    'is named with characters that move a cursor',
    'local:///run\u001b[2J/a\nb',
    /^flux-ts dump: local:\/\/\/run\\x1b\[2J\/a(\\n| )b: broker socket .* was not found; .*$/,
  ),
])

brokerMatrix('dump through ssh when', [
  uriCase(
    'the host is named like an option',
    'ssh://-oProxyCommand=touch%20x/run/local',
    /^flux-ts dump: ssh:\S+: neither user nor host can begin with -; .*$/,
  ),
  {
    ...sshCase('ssh is not there', '', { error: /^flux-ts dump: ssh:\S+: cannot run \S+none: .*; FLUX_SSH names.*$/ }),
    env: ({ out }) => ({ FLUX_SSH: join(out, 'none'), FLUX_URI: 'ssh://host1/run/local' }),
  },
  sshCase('ssh dies with a word of its own', 'printf "no route\\033[2J\\nto host\\n" >&2; exit 255', {
    error: /^flux-ts dump: ssh:\S+: no connection: no route\\x1b\[2J; to host$/,
  }),
  sshCase('ssh dies without a word', 'exit 3', {
    error: /^flux-ts dump: ssh:\S+: ssh ended without a word; try ssh host1 flux relay by hand$/,
  }),
  sshCase('a shell greets first', `echo Welcome; ${relay()}`, {
    error: /^flux-ts dump: ssh:\S+: host1 wrote something else before the broker did; .*$/,
  }),
  sshCase('ssh never says anything, and hears no signal', "trap '' TERM; exec sleep 1000", {
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error: /^flux-ts dump: ssh:\S+: no answer for [\d.]+ s, waiting for the broker to let us in; .*$/,
  }),
  sshCase('all is well', relay(), {
    older: false,
    status: 0,
    leaves: ['x.tar'],
  }),
  sshCase(
    'ssh dies in the walk, with a word of its own',
    relay('if (bytes > 20000) { console.error("Connection to host1 closed."); process.exit(255) }'),
    { error: /^flux-ts dump: ssh:\S+: lost the connection to the broker.*$/ },
  ),
  sshCase('ssh is stopped in the walk', relay('if (bytes > 20000) process.kill(process.pid, "SIGSTOP")'), {
    // A program has to start first.
    args: ({ outfile }) => ['dump', '-q', '--timeout', '3s', outfile],
    warning: SILENCE_WARNING,
    error: /^flux-ts dump: ssh:\S+: no answer for [\d.]+ s, waiting for content-backing\.load; .*$/,
  }),
  sshCase(
    'ssh is stopped in the walk, and the dump is interrupted',
    relay('if (bytes > 20000) process.kill(process.pid, "SIGSTOP")'),
    {
      during: async (scene: Scene, running) => {
        const broker = brokerOf(scene)
        while (broker.requestsOf('content-backing.load').length < 5)
          await new Promise((resolve) => setTimeout(resolve, 5))
        running.kill('SIGTERM')
      },
      status: 130,
      error: /^flux-ts dump: interrupted by SIGTERM$/,
    },
  ),
])
