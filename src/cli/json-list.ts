import { stringifyJson } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'
import { errorJson, exitStatusOf } from './exit-status.ts'
import { escapedJson } from './json-escape.ts'
import { print } from './output.ts'

/**
 * Print a JSON object with one list in it, item by item, so that the list can have any length. An error after the first
 * item becomes a member of the object, so that the output is still valid JSON.
 *
 * @param member - name of the list
 * @param batches - items, each the text of a JSON value
 * @param after - returns more members; called at the end
 * @returns false when there was such an error; the exit status is set then
 * @throws what `batches` throws before the first item
 */
export async function printJsonList(
  member: string,
  batches: AsyncIterable<readonly string[]>,
  after: () => object = () => ({}),
): Promise<boolean> {
  const open = `{"${member}":[`
  let separator = open
  let last = {}
  let complete = true
  try {
    for await (const batch of batches) {
      if (batch.length === 0) continue
      await print(escapedJson(separator + batch.join(',')))
      separator = ','
    }
    last = after()
  } catch (error) {
    if (separator === open || (error instanceof FluxError && error.code === 'EPIPE')) throw error
    complete = false
    process.exitCode = exitStatusOf(error)
    last = errorJson(error)
  }
  const rest = escapedJson(stringifyJson(last)).slice(1, -1)
  await print(`${separator === open ? open : ''}]${rest === '' ? '' : `,${rest}`}}\n`)
  return complete
}
