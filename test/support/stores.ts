/** Content stores on disk, and whoever holds them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a directory holds, to the byte. */
export function contents(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(dir, name)).isFile())
      .map((name) => [name, readFileSync(join(dir, name)).toString('base64')]),
  )
}

/** Keeps a database open in another process, as a broker would, until it is killed. */
export async function holder(path: string, pragmas: string, statement = ''): Promise<ChildProcess> {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1])
    db.exec(${JSON.stringify(pragmas)})
    db.exec("INSERT INTO objects (hash,size,object) VALUES (CAST(x'00ff' AS TEXT), -1, NULL)")
    ${statement}
    console.log('ready')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--no-warnings', '-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', () => reject(new Error('the holder ended')))
  })
  return child
}

export async function killed(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** Kinds of b-tree pages that are leaves. @see https://sqlite.org/fileformat.html, "B-tree Pages" */
const LEAF = { table: 0x0d, index: 0x0a } as const

/** Overwrite the page of a database on which some bytes stand with zeros. @returns how many pages it was */
export function damagePage(path: string, kind: keyof typeof LEAF, bytes: Buffer): number {
  const file = readFileSync(path)
  const pageBytes = file.readUInt16BE(16)
  let damaged = 0
  for (let at = pageBytes; at < file.length; at += pageBytes) {
    const page = file.subarray(at, at + pageBytes)
    if (page[0] !== LEAF[kind] || !page.includes(bytes)) continue
    page.fill(0)
    damaged++
  }
  writeFileSync(path, file)
  return damaged
}
