/**
 * libbz2 1.0.8 from the WebAssembly file of bzip2-wasm, without that package's JavaScript. That JavaScript does not
 * find its file in a folder with a space in its name, has too small a buffer for input that does not compress, and
 * installs handlers for the process's exceptions.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The parts used here. TypeScript declares WebAssembly only in its DOM library. */
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
/** The result of WASI's file calls (`errno`, "badf"): there are no files here. */
const WASI_BADF = 8

/** Compresses synchronously, so do not use it in the main thread. */
export class Libbz2 {
  readonly #exports: Exports

  constructor() {
    const file = fileURLToPath(import.meta.resolve('bzip2-wasm/bzip2-1.0.8/bzip2.wasm'))
    const badFile = () => WASI_BADF
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
      env: {
        exit: (status: number) => {
          throw new Error(`libbz2 stopped with status ${status}`)
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
   * @returns a complete stream
   * @throws {Error} out of memory
   */
  compress(input: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
    const { malloc, free, BZ2_bzBuffToBuffCompress } = this.#exports
    // The output size that bzlib.h requires.
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

  /** Created for each use, since the buffer is replaced when the memory grows. */
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
