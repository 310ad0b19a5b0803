/**
 * A tar stream whose members a directory can hold. Each member is checked when it is added, so that an error names the
 * key.
 */
import type { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError } from '../../archive-error.ts'
import type { ExtraRecords, MemberAttributes } from '../../format-encoder.ts'
import { OTHER_FORMAT_OR_EXCLUDE } from '../other-format.ts'
import { TarEncoder } from '../tar-encoder.ts'

/** Most bytes of a component and of a path in Linux (NAME_MAX, and PATH_MAX without its NUL). */
const NAME_BYTES = 255
const PATH_BYTES = 4095
/** Names of up to this many UTF-16 units fit in any case: each unit takes at most three bytes in UTF-8. */
const SHORT = Math.floor(NAME_BYTES / 3)

/** Encodes tar, and refuses what a directory cannot hold. */
export class DirectoryEncoder extends TarEncoder {
  /** Bytes of the directory's path and its slash. */
  readonly #prefixBytes: number

  /** @param directory - absolute path of the directory that it will be unpacked into */
  constructor(out: ChunkWriter, attributes: MemberAttributes, directory: string) {
    super(out, attributes)
    this.#prefixBytes = Buffer.byteLength(directory) + 1
  }

  override get holdsRecords(): boolean {
    return false
  }

  /** @throws {ArchiveError} `ENOTSUP` there are records; `ENAMETOOLONG` the path or a component is too long */
  override file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#check(path, extra)
    super.file(path, size, parts)
  }

  /** @throws {ArchiveError} as {@link file} */
  override beginFile(path: string, size: number, extra?: ExtraRecords): void {
    this.#check(path, extra)
    super.beginFile(path, size)
  }

  /** @throws {ArchiveError} as {@link file}; `ENOTSUP` also for a link that leads out of the directory */
  override symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#check(path, extra)
    if (leadsOut(path, target)) {
      throw refusal('ENOTSUP', path, `a link to ${JSON.stringify(target)} could lead out of the directory`)
    }
    if (target === '') throw refusal('ENOTSUP', path, 'no link can have an empty target')
    if (Buffer.byteLength(target) > PATH_BYTES) throw refusal('ENAMETOOLONG', path, 'no link can have so long a target')
    super.symlink(path, target)
  }

  #check(path: string, extra: ExtraRecords | undefined): void {
    if (extra !== undefined) throw refusal('ENOTSUP', path, 'no file name can hold this key')
    if (path.length <= SHORT) return
    if (path.split('/').some((component) => Buffer.byteLength(component) > NAME_BYTES)) {
      throw refusal('ENAMETOOLONG', path, `no file name can have more than ${NAME_BYTES} bytes`)
    }
    if (this.#prefixBytes + Buffer.byteLength(path) > PATH_BYTES) {
      throw refusal('ENAMETOOLONG', path, `no path can have more than ${PATH_BYTES} bytes`)
    }
  }
}

/**
 * True when a link could lead out of the directory, alone or together with other links. `..` is allowed only at the
 * start of the target, where it leaves real directories, and at most once for each directory above the link.
 */
function leadsOut(path: string, target: string): boolean {
  if (target.startsWith('/')) return true
  let depth = path.split('/').length - 1
  let up = true
  for (const component of target.split('/')) {
    if (component === '' || component === '.') continue
    if (component !== '..') up = false
    else if (!up || --depth < 0) return true
  }
  return false
}

function refusal(code: 'ENOTSUP' | 'ENAMETOOLONG', pathname: string, what: string): ArchiveError {
  return new ArchiveError(code, { format: 'directory', pathname }, what, { hint: OTHER_FORMAT_OR_EXCLUDE })
}
