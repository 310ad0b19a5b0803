/** The archive formats: a line each. The order is that of help texts, and the first is what standard output gets. */
import { cpio } from './cpio/index.ts'
import { directory } from './directory/index.ts'
import { iso9660 } from './iso9660/index.ts'
import { tar } from './tar/index.ts'
import { zip } from './zip/index.ts'

export type {
  DirectoryFormat,
  DirectoryOrigin,
  DirectoryTarget,
  FileFormat,
  FileOrigin,
  FileTarget,
  Format,
  FormatReader,
} from './format.ts'

export const FORMATS = [tar, zip, cpio, iso9660, directory] as const
