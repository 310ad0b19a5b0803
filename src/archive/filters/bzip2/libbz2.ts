/**
 * libbz2 1.0.8 as bzip2-wasm brings it, without that package's JavaScript: which finds its file in no folder with a space
 * in its name, has no room for input that does not compress, and listens to the process's exceptions.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What is used of it; TypeScript has it with the DOM only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  __wasm_call_ctors(): void
  malloc(bytes: number): number
  free(pointer: number): void
  BZ2_bzBuffToBuffCompress(
    dest: number,
    destLength: number,
    source: number,
    sourceLength: number,
    blockSize100k: number,
    verbosity: number,
    workFactor: number,
  ): number
}

const PAGE_BYTES = 65_536
const BZ_OK = 0
const BZ_MEM_ERROR = -3
/** What WASI's calls answer (`errno`, "badf"): there are no files in here. */
const WASI_BADF = 8

/** Not for the main thread: all that it does, it does at once. */
export class Libbz2 {
  readonly #exports: Exports

  constructor() {
    const file = fileURLToPath(import.meta.resolve('bzip2-wasm/bzip2-1.0.8/bzip2.wasm'))
    const badFile = () => WASI_BADF
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
      env: {
        exit: (status: number) => {
          throw new Error(`libbz2 gave up with ${status}`)
        },
        emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
          this.#heap().copyWithin(to, from, from + bytes)
        },
        emscripten_resize_heap: (bytes: number) => this.#grow(bytes >>> 0),
      },
      wasi_snapshot_preview1: { fd_close: badFile, fd_seek: badFile, fd_write: badFile },
    })
    this.#exports = exports as Exports
    this.#exports.__wasm_call_ctors()
  }

  /**
   * @param level - 1 to 9: blocks in units of 100,000 bytes
   * @returns a whole stream
   * @throws {Error} out of memory
   */
  compress(input: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
    const { malloc, free, BZ2_bzBuffToBuffCompress } = this.#exports
    // As much as bzlib.h asks for.
    const most = input.length + Math.ceil(input.length / 100) + 600
    const pointers = [Math.max(1, input.length), most, 4].map((bytes) => malloc(bytes))
    const [source, dest, destLength] = pointers as [number, number, number]
    if (pointers.includes(0)) throw new Error('out of memory')
    this.#heap().set(input, source)
    this.#view().setUint32(destLength, most, true)
    const status = BZ2_bzBuffToBuffCompress(dest, destLength, source, input.length, level, 0, 0)
    if (status !== BZ_OK) throw new Error(status === BZ_MEM_ERROR ? 'out of memory' : `libbz2 says ${status}`)
    const packed = this.#heap().slice(dest, dest + this.#view().getUint32(destLength, true))
    for (const pointer of pointers) free(pointer)
    return packed
  }

  /** Made anew each time, since another one takes its place whenever memory grows. */
  #heap(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer)
  }

  #view(): DataView {
    return new DataView(this.#exports.memory.buffer)
  }

  #grow(bytes: number): boolean {
    const { memory } = this.#exports
    try {
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES))
      return true
    } catch {
      return false
    }
  }
}
