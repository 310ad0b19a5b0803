import type { DirectoryFormat } from '../format.ts'

/** A directory with the members in it, asked for by a slash at the end of its name. */
export const directory: DirectoryFormat<'directory'> = {
  name: 'directory',
  isDirectory: true,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
}
