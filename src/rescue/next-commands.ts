import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { shellWord } from '../errors/index.ts'
import type { DrainedNode } from '../inspect/index.ts'

/** What the commands depend on. */
export interface NextSteps {
  readonly store: string
  readonly out: string
  /** Where the old store is now; undefined when it is in its place. */
  readonly replaced: string | undefined
  readonly drained: readonly DrainedNode[]
}

/** The commands that come after a rescue, each with a comment. */
export function nextCommands({ store, out, replaced, drained }: NextSteps): string[] {
  const database = join(out, 'content.sqlite')
  const statedir = dirname(store)
  const commands =
    replaced === undefined
      ? [
          '# look at what was rescued',
          `flux-ts jobs --store ${shellWord(database)}`,
          '# put it in the place of the old store, with the broker stopped',
          // Its journals belong to it, and must not be taken for those of the new one.
          ...['', '-wal', '-shm', '-journal']
            .filter((suffix) => existsSync(store + suffix))
            .map((suffix) => `mv ${shellWord(store + suffix)} ${shellWord(`${store}.damaged${suffix}`)}`),
          `install -m 600 -o flux -g flux ${shellWord(database)} ${shellWord(join(statedir, 'content.sqlite'))}`,
        ]
      : []
  commands.push('# start the instance, and look at its jobs', 'systemctl start flux', 'flux jobs -a')
  if (drained.length > 0) commands.push('# nodes that were drained stay so', 'flux resource drain')
  if (replaced !== undefined) commands.push('# when all is well', `rm ${shellWord(replaced)}*`)
  return commands
}
