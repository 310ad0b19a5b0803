import { fsyncSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeError } from '../errors/index.ts'
import { PartFile, syncPathSync } from '../files/index.ts'

/** Write a small text file, readable by its owner only. It gets its name when it is on disk. @throws {FluxError} */
export function writeText(path: string, text: string): void {
  try {
    const part = new PartFile(path, 'file')
    try {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; ) at += writeSync(part.fd, bytes, at)
      fsyncSync(part.fd)
      part.publish('nothing')
      syncPathSync(dirname(path))
    } finally {
      part.remove()
    }
  } catch (error) {
    throw writeError(error, path)
  }
}
