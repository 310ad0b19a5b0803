import { FluxError } from '../../errors/index.ts'

/**
 * The name of the instance whose jobs are added to an export. Without a name it is that of the jobs that are there.
 *
 * @param given - the name that the user gave; undefined if none
 * @param known - the names in the export
 * @throws {FluxError} `EINVAL` the name does not tell which of the jobs there are of the same instance
 */
export function joinedCluster(path: string, given: string | undefined, known: readonly string[]): string {
  if (given !== undefined) {
    if (given === '' || !known.includes('')) return given
    throw new FluxError(
      'EINVAL',
      `${path}: it has jobs without the name of a cluster, so ${given} could be theirs too`,
      {
        hint: 'add without --cluster, or name them first, as docs/export.md tells',
      },
    )
  }
  const [only = ''] = known
  if (known.length <= 1) return only
  throw new FluxError('EINVAL', `${path}: it has the jobs of ${known.length} clusters`, {
    hint: `choose one of them: --cluster ${known.join('|')}`,
  })
}
