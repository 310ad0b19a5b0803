/** All archive formats, in the order of the help texts. The first is the default for standard output. */
import { cpio } from './cpio/index.ts'
import { directory } from './directory/index.ts'
import { iso9660 } from './iso9660/index.ts'
import { tar } from './tar/index.ts'
import { zip } from './zip/index.ts'

export type { Batches } from './batch.ts'
export type {
  DirectoryFormat,
  DirectoryOrigin,
  DirectoryTarget,
  FileFormat,
  FileOrigin,
  FileTarget,
  Format,
} from './format.ts'

export const FORMATS = [tar, zip, cpio, iso9660, directory] as const
