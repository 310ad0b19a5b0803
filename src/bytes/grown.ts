type Numbers = Uint8Array | Uint32Array | Float64Array | BigUint64Array

/**
 * An array with room for at least `size` numbers: the same one, or one of at least twice the length with the same content.
 *
 * The memory of a shorter array is released at once, and that array is empty from then on. The copies that a growing array
 * leaves behind otherwise stay until a full garbage collection, and together are as large as the array itself.
 *
 * @param numbers - it has a buffer of its own
 */
export function grown<A extends Numbers>(numbers: A, size: number): A {
  if (size <= numbers.length) return numbers
  const bytes = Math.max(size, numbers.length * 2) * numbers.BYTES_PER_ELEMENT
  const OfNumbers = numbers.constructor as new (buffer: ArrayBuffer) => A
  return new OfNumbers((numbers.buffer as ArrayBuffer).transfer(bytes))
}

/** Release the memory of an array at once. It is empty from then on. @param numbers - it has a buffer of its own */
export function release(numbers: Numbers): void {
  ;(numbers.buffer as ArrayBuffer).transfer(0)
}
