import { byteText, countText, grouped } from '../../errors/index.ts'
import type { ReportRoom, ReportTreeNode } from '../report-data.ts'
import type { TextPage } from './page.ts'

const BAR = 20
/** Keys, and parts of each directory, that are listed. */
const LISTED = 10
const PARTS = 6

/** The section on what takes the room. */
export function roomText(page: TextPage, { bytes, onceBytes, keys, dirs, kinds, largest, tree }: ReportRoom): void {
  const once = bytes === onceBytes ? '' : `, ${byteText(onceBytes)} with each blob counted once`
  page.line(
    `  ${byteText(bytes)} in ${countText(keys, 'key')} and ${grouped(dirs)} ${dirs === 1 ? 'directory' : 'directories'}${once}`,
  )
  if (kinds.length > 0) {
    page.title('By kind of record')
    page.table(
      kinds.map(({ kind, count, bytes: size }) => [
        kind,
        { right: grouped(count) },
        { right: byteText(size) },
        page.bar(size / Math.max(1, bytes), BAR),
      ]),
      ['KIND', 'COUNT', 'BYTES', ''],
    )
  }
  if (tree.children.length > 0) {
    page.title('Largest directories')
    page.table(
      [...partsOf(tree, 0, 2)].map(({ node, depth }) => [
        `${'  '.repeat(depth)}${node.name}`,
        { right: grouped(node.keys) },
        { right: byteText(node.bytes) },
        page.bar(node.bytes / Math.max(1, bytes), BAR),
      ]),
      ['NAME', 'KEYS', 'BYTES', ''],
    )
  }
  if (largest.length > 0) {
    page.title('Largest values')
    page.table(largest.slice(0, LISTED).map(({ key, bytes: size }) => [{ right: byteText(size) }, key]))
  }
}

function* partsOf(
  tree: ReportTreeNode,
  depth: number,
  deepest: number,
): Generator<{ node: ReportTreeNode; depth: number }> {
  // Inline values are a part of their directory.
  const stored = tree.children.filter(({ bytes }) => bytes > 0)
  const largest = stored.sort((a, b) => b.bytes - a.bytes).slice(0, PARTS)
  for (const node of largest) {
    yield { node, depth }
    if (depth + 1 < deepest) yield* partsOf(node, depth + 1, deepest)
  }
}
