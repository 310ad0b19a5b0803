import { readFileSync } from 'node:fs'
import { findProgram } from '../files/index.ts'
import { UsageError } from './usage-error.ts'

/** Users that getent is asked for at a time: its command line is limited. */
const ASKED = 1000

/** The user database of this machine: the passwd file, and then getent(1), if it exists, for all other users. */
export class Users {
  readonly #names = new Map<number, string | undefined>()
  readonly #ids = new Map<string, number>()
  #asks = true

  constructor(passwd = '/etc/passwd') {
    try {
      for (const line of readFileSync(passwd, 'utf8').split('\n')) this.#learn(line)
    } catch {
      // Without a passwd file, ask getent for all users.
    }
  }

  /** The name of a user; undefined if unknown. */
  nameOf(userid: number): string | undefined {
    if (!this.#names.has(userid)) {
      this.#ask(String(userid))
      if (!this.#names.has(userid)) this.#names.set(userid, undefined)
    }
    return this.#names.get(userid)
  }

  /** Ask for the names of many users at once, before {@link nameOf} is called for each. */
  learn(userids: Iterable<number | undefined>): void {
    const unknown = new Set<number>()
    for (const userid of userids) if (userid !== undefined && !this.#names.has(userid)) unknown.add(userid)
    const list = [...unknown]
    for (let at = 0; at < list.length; at += ASKED) {
      const some = list.slice(at, at + ASKED)
      this.#ask(...some.map(String))
      for (const userid of some) if (!this.#names.has(userid)) this.#names.set(userid, undefined)
    }
  }

  /** The id of a user, given by name or number. @throws {UsageError} the name is unknown */
  idOf(user: string): number {
    if (/^\d+$/.test(user)) return Number(user)
    // getent would take it for an option. Not every getent knows --, and no user has such a name.
    if (!this.#ids.has(user) && !user.startsWith('-')) this.#ask(user)
    const userid = this.#ids.get(user)
    if (userid === undefined) throw new UsageError(`${user}: no such user here`, 'give the userid as a number')
    return userid
  }

  #ask(...users: string[]): void {
    if (!this.#asks) return
    const getent = findProgram('getent')
    if (getent === undefined) {
      this.#asks = false
      return
    }
    // Loaded here, because it takes a twentieth of the time of a short command.
    const { spawnSync } = process.getBuiltinModule('node:child_process')
    const { error, stdout } = spawnSync(getent, ['passwd', ...users], { encoding: 'utf8', timeout: 5000 })
    // If getent is missing, or its directory service does not answer, do not try again for each of a thousand users.
    if (error) this.#asks = false
    else for (const line of stdout.split('\n')) this.#learn(line)
  }

  #learn(line: string): void {
    const [name, , userid] = line.trim().split(':')
    if (!name || !userid || !/^\d+$/.test(userid)) return
    if (!this.#names.has(Number(userid))) this.#names.set(Number(userid), name)
    this.#ids.set(name, Number(userid))
  }
}
