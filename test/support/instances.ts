/** Live instances to run the same tests on: a broker double, and a real Flux where there is one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flux, type JsonObject } from '../../src/flux/index.ts'
import { BrokerDouble } from './broker-double.ts'
import { cleanEnv, has } from './processes.ts'
import type { Blobs } from './trees.ts'

/** What an instance is to hold. */
export interface Contents {
  blobs: Blobs
  /** Namespaces beside `primary`, each with its root. */
  namespaces: Record<string, string>
  /** Oldest first. */
  checkpoints: string[]
}

export interface Instance extends AsyncDisposable {
  readonly uri: string
  /** Unload the KVS; there is no way back. */
  unloadKvs(): Promise<void>
  /** Run a program with the instance as its own. Only for a real one. @returns its standard output */
  run(command: string, args: readonly string[]): Promise<string>
}

export interface InstanceKind {
  name: string
  isReal: boolean
  start(contents: Contents): Promise<Instance>
}

/** Both kinds, or the double alone where `flux` is not on PATH. */
export function instanceKinds(): InstanceKind[] {
  const double = { name: 'a broker double', isReal: false, start: startDouble }
  return has('flux') ? [double, { name: 'a real Flux', isReal: true, start: startReal }] : [double]
}

function checkpointObjects(rootrefs: readonly string[]): (JsonObject & { timestamp: number })[] {
  return rootrefs.map((rootref, i) => ({ version: 1, rootref, sequence: 100 + i, timestamp: 1_700_000_000.5 + i }))
}

async function startDouble({ blobs, namespaces, checkpoints }: Contents): Promise<Instance> {
  const options = {
    content: new Map([...blobs].map(([blobref, blob]) => [blobref.slice(blobref.indexOf('-') + 1), blob])),
    attributes: { 'content.hash': blobs.hash },
    namespaces: Object.fromEntries(
      Object.entries(namespaces).map(([name, rootref]) => [name, { rootref, rootseq: 0 }]),
    ),
    checkpoints: checkpointObjects(checkpoints).reverse(),
    unloaded: [] as string[],
  }
  const broker = await BrokerDouble.start(options)
  return {
    uri: broker.uri,
    unloadKvs: async () => void options.unloaded.push('kvs'),
    run: () => Promise.reject(new Error('a double runs nothing')),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}

async function startReal({ blobs, namespaces, checkpoints }: Contents): Promise<Instance> {
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-instance-'))
  const script = (name: string, lines: string[]) => {
    writeFileSync(join(dir, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
    return join(dir, name)
  }
  const rc1 = script('rc1', [
    'set -e',
    ...['content', 'content-sqlite', 'kvs', 'kvs-watch'].map((name) => `flux module load ${name}`),
  ])
  const rc3 = script(
    'rc3',
    ['kvs-watch', 'kvs', 'content-sqlite', 'content'].map((name) => `flux module remove -f ${name}`),
  )
  mkdirSync(join(dir, 'state'))
  const settings = [
    `statedir=${dir}/state`,
    `content.hash=${blobs.hash}`,
    `broker.rc1_path=${rc1}`,
    `broker.rc3_path=${rc3}`,
  ]
  // It lives for as long as its standard input is open.
  const args = ['start', ...settings.map((setting) => `-S${setting}`), 'sh', '-c', 'echo $FLUX_URI; exec cat']
  const child = spawn('flux', args, { env: cleanEnv(), stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('flux start failed'))),
  ])) as [Buffer]
  const uri = line.toString().trim()
  await using flux = await Flux.open(uri)
  for (const blob of blobs.values()) await flux.rpcRaw('content.store', blob)
  for (const [namespace, rootref] of Object.entries(namespaces)) {
    await flux.rpc(
      'kvs.namespace-create',
      { namespace, rootref, owner: process.getuid?.() ?? 0, flags: 0 },
      { nodeid: 0 },
    )
  }
  for (const value of checkpointObjects(checkpoints)) {
    await flux.rpc('content.checkpoint-put', { key: 'kvs-primary', value }, { nodeid: 0 })
  }
  const runInside = async (command: string, args: readonly string[]) => {
    const inside = spawn(command, args, { env: cleanEnv({ FLUX_URI: uri }), stdio: ['ignore', 'pipe', 'inherit'] })
    const chunks: Buffer[] = []
    inside.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    const [status] = await once(inside, 'close')
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}`)
    return Buffer.concat(chunks).toString()
  }
  return {
    uri,
    run: runInside,
    unloadKvs: async () => {
      await runInside('flux', ['module', 'remove', 'kvs-watch'])
      await runInside('flux', ['module', 'remove', 'kvs'])
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
