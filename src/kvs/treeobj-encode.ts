/**
 * Tree objects (RFC 11) as text, in the form that Flux writes: members and names in byte order, no spaces. Equal
 * directories must have equal text, so that they have the same blobref.
 */
import { stringifyJson, tooDeep } from '../bytes/index.ts'
import { sortNames } from './name-order.ts'
import type { EntryObj } from './treeobj.ts'

/** The text of an inline value. */
export function valText(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  return `{"data":"${base64}","type":"val","ver":1}`
}

/** The text of a value in blobs. */
export function valrefText(blobrefs: readonly string[]): string {
  return `{"data":["${blobrefs.join('","')}"],"type":"valref","ver":1}`
}

/** The text of a reference to a directory. */
export function dirrefText(blobref: string): string {
  return `{"data":["${blobref}"],"type":"dirref","ver":1}`
}

/** The text of a symbolic link. */
export function symlinkText(target: string, namespace: string | undefined): string {
  const data = namespace === undefined ? '' : `"namespace":${jsonString(namespace)},`
  return `{"data":{${data}"target":${jsonString(target)}},"type":"symlink","ver":1}`
}

/**
 * The text of any decoded tree object, with members of its `data` that RFC 11 does not define. An invalid entry keeps
 * its JSON, in a directory too.
 *
 * @throws {FluxError} `EOVERFLOW` it is nested too deeply
 */
export function treeObjText(obj: EntryObj): string {
  try {
    return textOf(obj)
  } catch (error) {
    throw tooDeep(error)
  }
}

function textOf(obj: EntryObj): string {
  if (obj.type === 'invalid') return jsonText(obj.json)
  const { data, type } = obj
  if (type !== 'dir') return `{"data":${jsonText(data)},"type":"${type}","ver":1}`
  const names = sortNames(Object.keys(data))
  return dirText(
    names,
    names.map((name) => textOf(data[name] as EntryObj)),
  )
}

/** JSON with the members of all objects in byte order. */
function jsonText(value: unknown): string {
  if (typeof value === 'string') return jsonString(value)
  if (typeof value !== 'object' || value === null) return stringifyJson(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const members = sortNames(Object.keys(value)).map((name) => {
    return `${jsonString(name)}:${jsonText((value as Record<string, unknown>)[name])}`
  })
  return `{${members.join(',')}}`
}

/** The blob of a directory: its text in UTF-8. @param entries - names to the text of their objects, in any order */
export function dirBlob(entries: ReadonlyMap<string, string>): Uint8Array {
  const names = sortNames([...entries.keys()])
  return Buffer.from(
    dirText(
      names,
      names.map((name) => entries.get(name) as string),
    ),
  )
}

/**
 * The text of a directory.
 *
 * @param names - in byte order
 * @param texts - the text of the object of each name
 */
export function dirText(names: readonly string[], texts: readonly string[]): string {
  let members = ''
  for (let i = 0; i < names.length; i++) {
    if (i > 0) members += ','
    members += memberText(names[i] as string, texts[i] as string)
  }
  return `{"data":{${members}},"type":"dir","ver":1}`
}

/** The text of one entry of a directory. @param text - the text of its object */
export function memberText(name: string, text: string): string {
  return `${jsonString(name)}:${text}`
}

/** Text that JSON.stringify only puts between quotes. */
const PLAIN = /^[ !#-[\]-~]*$/

/**
 * A JSON string as jansson writes it for Flux: like JSON.stringify, but with upper-case digits in escaped control
 * characters.
 */
export function jsonString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(/\\(?:u00([01][0-9a-f])|.)/g, (whole, digits?: string) =>
    digits === undefined ? whole : `\\u00${digits.toUpperCase()}`,
  )
}
