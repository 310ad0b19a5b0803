/** Arranges names in columns, as `flux kvs ls` does. */

/** Spaces between the longest name and the next column. */
const GAP = 4

/**
 * Arrange names in columns of one width, row by row.
 *
 * @param names - each with the suffix to append; widths are in bytes, as the C tool counts them
 * @param width - width of a line; 0 is unlimited. A name is never broken, so 1 prints one name on each line.
 * @yields text, in pieces, because a directory may be large
 */
export function* columns(names: readonly { name: string; suffix: string }[], width: number): Generator<string> {
  let longest = 0
  const isNarrow = width === 1
  // With one name on each line nothing is padded, so the names need not be measured.
  if (!isNarrow) for (const { name } of names) longest = Math.max(longest, Buffer.byteLength(name))
  const columnWidth = longest + GAP
  let column = 0
  let padding = 0
  let piece = ''
  for (const { name, suffix } of names) {
    if (isNarrow) {
      if (column > 0) piece += '\n'
      column = 1
    } else {
      if (width !== 0 && column > 0 && column + columnWidth > width) {
        piece += '\n'
        column = 0
      } else if (column > 0) {
        piece += ' '.repeat(padding)
      }
      column += columnWidth
      padding = columnWidth - Buffer.byteLength(name) - suffix.length
    }
    piece += name + suffix
    if (piece.length > 1 << 16) {
      yield piece
      piece = ''
    }
  }
  yield column > 0 ? `${piece}\n` : piece
}
