import type { DirectoryFormat } from '../format.ts'

/** A directory with the members as files. A slash at the end of the path selects it. */
export const directory: DirectoryFormat<'directory'> = {
  name: 'directory',
  isDirectory: true,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
}
