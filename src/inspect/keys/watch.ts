import type { KvsChanges, ServiceReader, TreeObj } from '../../kvs/index.ts'

export interface WatchOptions extends KvsChanges {
  /** End after this many responses, counted over all keys; undefined or 0 is never. */
  count?: number | undefined
}

/** What a watched key holds now. */
export interface WatchedKey {
  readonly key: string
  readonly obj: TreeObj
}

/**
 * Watch several keys at once, until `count` responses have come.
 *
 * @throws {FluxError} as {@link ServiceReader.watch}, for the first key that fails
 */
export async function* watchKeys(
  reader: ServiceReader,
  keys: readonly string[],
  { count = 0, signal, ...changes }: WatchOptions,
): AsyncGenerator<WatchedKey, void, void> {
  const enough = new AbortController()
  const ends = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal])
  const watches = keys.map((key) => {
    const answers = reader.watch(key, { ...changes, signal: ends })
    return { key, answers, pending: answers.next() }
  })
  try {
    for (let left = count > 0 ? count : Number.POSITIVE_INFINITY; left > 0 && watches.length > 0; ) {
      const { watch, answer } = await Promise.race(
        watches.map((watch) => watch.pending.then((answer) => ({ watch, answer }))),
      )
      if (answer.done) {
        watches.splice(watches.indexOf(watch), 1)
        continue
      }
      watch.pending = watch.answers.next()
      yield { key: watch.key, obj: answer.value }
      left--
    }
  } finally {
    enough.abort()
    await Promise.allSettled(watches.map(({ pending }) => pending))
  }
}
