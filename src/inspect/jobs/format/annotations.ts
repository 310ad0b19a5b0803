/** Fields inside the annotations of a job: `annotations.sched.foo`, `user.list[0]`. */
import { memberAt } from '../../json.ts'

/** @returns the names and indices; undefined if the field is not one of the annotations */
export function annotationPath(field: string): string[] | undefined {
  if (!/^(?:annotations|sched|user)\./.test(field)) return undefined
  const path = field.startsWith('annotations.') ? field.slice('annotations.'.length) : field
  const parts = path.match(/^[^.[\]]+|\.[^.[\]]+|\[[^\]]+\]/g) ?? []
  if (parts.join('') !== path) return undefined
  return parts.map((part) => part.replace(/^[.[]|\]$/g, ''))
}

/** The value at a path; undefined when there is none. */
export function annotationAt(annotations: unknown, path: readonly string[]): unknown {
  let at = annotations
  for (const part of path) at = Array.isArray(at) ? at[Number(part)] : memberAt(at, part)
  return at
}
