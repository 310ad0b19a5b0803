/** Counts the bytes of buffers that code asks for. Limits of a thread do not count them: they lie outside of its heap. */

/** More was asked for than the budget allows. */
export class OverBudget extends Error {}

let left = Number.POSITIVE_INFINITY
let isOver = false

/** Count from now on. @param budgetBytes - what may be asked for */
export function startMeter(budgetBytes: number): void {
  left = budgetBytes
  isOver = false
}

/** @throws {OverBudget} more was asked for since {@link startMeter}, also where that error was caught */
export function checkMeter(): void {
  const wasOver = isOver
  left = Number.POSITIVE_INFINITY
  isOver = false
  if (wasOver) throw new OverBudget('asks for more memory than its budget')
}

function take(bytes: number): void {
  left -= bytes
  if (left >= 0) return
  isOver = true
  throw new OverBudget(`asks for ${bytes} bytes, beyond its budget`)
}

/** Count what is asked for in this thread, in each way in which the sources ask for memory. */
export function installMeter(): void {
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const allocate = Buffer[name] as (...args: unknown[]) => Buffer
    Object.defineProperty(Buffer, name, {
      value(size: number, ...rest: unknown[]) {
        // A size that is no number is refused by the function itself.
        if (typeof size === 'number' && size > 0) take(size)
        return allocate.call(Buffer, size, ...rest)
      },
    })
  }
  const concat = Buffer.concat
  Object.defineProperty(Buffer, 'concat', {
    value(list: Uint8Array[], length?: number) {
      take(length ?? list.reduce((sum, each) => sum + each.length, 0))
      return concat.call(Buffer, list, length)
    },
  })
  const { repeat, padStart, padEnd } = String.prototype
  Object.defineProperty(String.prototype, 'repeat', {
    value(this: string, count: number) {
      if (count > 0) take(count * this.length)
      return repeat.call(this, count)
    },
  })
  for (const [name, pad] of [
    ['padStart', padStart],
    ['padEnd', padEnd],
  ] as const) {
    Object.defineProperty(String.prototype, name, {
      value(this: string, length: number, fill?: string) {
        if (length > this.length) take(length)
        return pad.call(this, length, fill)
      },
    })
  }
  for (const name of ['Uint8Array', 'Uint16Array', 'Uint32Array', 'Int32Array', 'Float64Array', 'Array'] as const) {
    const plain = globalThis[name] as unknown as new (...args: unknown[]) => object
    const counted: typeof plain = new Proxy(plain, {
      construct(target, args: unknown[], newTarget): object {
        const [size] = args
        if (args.length === 1 && typeof size === 'number' && size > 0) {
          take(size * ((target as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 8))
        }
        return Reflect.construct(target, args, newTarget === counted ? target : newTarget)
      },
    })
    Object.defineProperty(globalThis, name, { value: counted })
  }
}
