/** What of a tar stream a directory can hold: checked as members come, so that an error names the key. */
import type { ChunkWriter } from '../../../bytes/index.ts'
import { ArchiveError, OTHER_FORMAT } from '../../archive-error.ts'
import type { ExtraRecords, MemberAttributes } from '../../format-encoder.ts'
import { TarEncoder } from '../tar-encoder.ts'

/** What a component and a path may come to in Linux (NAME_MAX, PATH_MAX less its NUL). */
const NAME_BYTES = 255
const PATH_BYTES = 4095
/** What a name may come to without a look at its bytes: a character has three at most. */
const SHORT = Math.floor(NAME_BYTES / 3)

/** Tar, without what a directory cannot hold. */
export class DirectoryEncoder extends TarEncoder {
  /** Bytes of what comes before each path. */
  readonly #prefixBytes: number

  /** @param directory - absolute: where it will be unpacked */
  constructor(out: ChunkWriter, attributes: MemberAttributes, directory: string) {
    super(out, attributes)
    this.#prefixBytes = Buffer.byteLength(directory) + 1
  }

  /** @throws {ArchiveError} `ENOTSUP` there are records; `ENAMETOOLONG` the path, or a part of it, is */
  override file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#check(path, extra)
    super.file(path, size, parts)
  }

  /** @throws {ArchiveError} as {@link file} */
  override beginFile(path: string, size: number, extra?: ExtraRecords): void {
    this.#check(path, extra)
    super.beginFile(path, size)
  }

  /** @throws {ArchiveError} as {@link file}; `ENOTSUP` also for a link that leads out */
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
    if (extra !== undefined) throw refusal('ENOTSUP', path, 'no file can have a name that says this key')
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
 * Whether a link could lead out, by itself or by way of others: `..` may only come first, where it leaves directories that
 * are none but directories, and only as often as there are any.
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
  return new ArchiveError(code, { format: 'directory', pathname }, what, { hint: OTHER_FORMAT })
}
