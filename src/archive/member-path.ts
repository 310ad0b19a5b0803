import { ArchiveError } from './archive-error.ts'

const REFUSED_COMPONENTS = new Set(['', '.', '..'])

/**
 * Checks that the paths of a written archive are relative and stay within the directory it is unpacked into, so that
 * unpacking is safe and no two paths mean the same file. The check is cheap: the directory part is checked only when it
 * changes.
 */
export class PathCheck {
  readonly #format: string
  /** The directory part of the last path, with its slash. It has been checked. */
  #directory = ''

  constructor(format: string) {
    this.#format = format
  }

  /**
   * @throws {ArchiveError} `EINVAL` the path is absolute, has a component that is empty, `.` or `..`, or holds a NUL
   */
  check(path: string): void {
    if (path.indexOf('/', this.#directory.length) >= 0 || !path.startsWith(this.#directory)) this.#enter(path)
    const nameAt = this.#directory.length
    // Of a longer name only a NUL matters.
    if (path.length - nameAt <= 2) this.#checkComponent(path, path.slice(nameAt))
    else if (path.indexOf('\0', nameAt) >= 0) throw this.#refusal(path, 'a path with a NUL')
  }

  #enter(path: string): void {
    if (path[0] === '/') throw this.#refusal(path, 'an absolute path')
    const nameAt = path.lastIndexOf('/') + 1
    const directory = nameAt === 0 ? [] : path.slice(0, nameAt - 1).split('/')
    for (const component of directory) this.#checkComponent(path, component)
    this.#directory = path.slice(0, nameAt)
  }

  #checkComponent(path: string, component: string): void {
    if (component.length <= 2 && REFUSED_COMPONENTS.has(component)) {
      throw this.#refusal(
        path,
        component === '' ? 'a path with an empty component' : `a path with a component ${component}`,
      )
    }
    if (component.includes('\0')) throw this.#refusal(path, 'a path with a NUL')
  }

  #refusal(pathname: string, what: string): ArchiveError {
    return new ArchiveError('EINVAL', { format: this.#format, pathname }, `cannot be archived: ${what}`)
  }
}
