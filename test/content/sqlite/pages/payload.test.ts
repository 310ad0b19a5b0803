import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { random } from '../../../../bench/random.ts'
import { lz4EncodeBlock } from '../../../../src/bytes/index.ts'
import { ObjectCell } from '../../../../src/content/sqlite/pages/object-cell.ts'
import { PageFiles } from '../../../../src/content/sqlite/pages/page-files.ts'
import { Payload } from '../../../../src/content/sqlite/pages/payload.ts'
import { scratch } from '../../../support/fixtures.ts'
import { noise } from '../../../support/raw-rows.ts'

const PAGE = 4096

/** Counts the pages that are read. */
class CountingFiles extends PageFiles {
  reads = 0

  override read(address: number, buffer: Buffer, at: number, length: number): number {
    this.reads++
    return super.read(address, buffer, at, length)
  }
}

const IN_PAGE = PAGE - 4

/** A row in a page, and the file with its overflow pages. */
interface Stored {
  page: Buffer
  cell: ObjectCell
  file: Buffer
}

/** How a row is made. */
interface RowOptions {
  /** Bytes of the blob in the page of the row. */
  local?: number
  /** Bytes of the record that follow the blob in that page. */
  after?: number
  /** What the blob expands to; undefined when it is stored as it is. */
  expanded?: Buffer
}

/** Store bytes as a row whose overflow pages lie from the last page of the file to the second. */
function rowOf(
  stored: Buffer,
  { local = Math.min(stored.length, 1000), after = 0, expanded }: RowOptions = {},
): Stored {
  const rest = stored.subarray(local)
  const pages = Math.ceil(rest.length / IN_PAGE)
  const file = Buffer.alloc((2 + pages) * PAGE)
  for (let i = 0; i < pages; i++) {
    const at = (1 + pages - i) * PAGE
    file.writeUInt32BE(i + 1 < pages ? 1 + pages - i : 0, at)
    rest.copy(file, at + 4, i * IN_PAGE, (i + 1) * IN_PAGE)
  }
  const page = Buffer.alloc(PAGE, 0xee)
  const digest = createHash('sha1')
    .update(expanded ?? stored)
    .digest()
  digest.copy(page, 10)
  stored.copy(page, 30, 0, local)
  const localEnd = 30 + local + after
  if (pages > 0) page.writeUInt32BE(1 + pages + 1, localEnd)
  const cell = new ObjectCell()
  const size = expanded?.length ?? -1
  const payload = 30 + after + stored.length
  return {
    page,
    cell: Object.assign(cell, {
      record: 0,
      payload,
      localEnd,
      digestAt: 10,
      storedAt: 30,
      stored: stored.length,
      size,
    }),
    file,
  }
}

function compressed(expanded: Buffer): Buffer {
  const packed = Buffer.alloc(expanded.length)
  return packed.subarray(0, lz4EncodeBlock(expanded, 0, expanded.length, packed, 0, expanded.length))
}

/** Run a function on the pages of a file. */
function withPayload<Result>(file: Buffer, use: (payload: Payload, files: PageFiles) => Result): Result {
  const path = `${scratch()}/content.sqlite`
  writeFileSync(path, file)
  const files = new PageFiles(path)
  try {
    expect(files.pageBytes).to.equal(PAGE)
    return use(new Payload(files), files)
  } finally {
    files.close()
  }
}

const isIntact = ({ page, cell, file }: Stored) =>
  withPayload(file, (payload) => payload.isIntact(page, cell, 0, 'sha1', 20))

/** The stored bytes, or undefined where the chain is broken. */
const gathered = ({ page, cell, file }: Stored) =>
  withPayload(file, (payload) =>
    payload.gather(page, cell, 0)
      ? Buffer.from(payload.bytes.subarray(payload.from, payload.from + cell.stored))
      : undefined,
  )

/** The pieces of a blob, as they come. */
const piecesOf = ({ page, cell, file }: Stored) =>
  withPayload(file, (payload) => {
    const blob = payload.open(page, cell, 0)
    const pieces: Buffer[] = []
    for (let piece = blob.next(); piece; piece = blob.next()) pieces.push(Buffer.from(piece))
    return { bytes: Buffer.concat(pieces), lengths: pieces.map(({ length }) => length), isWhole: blob.isWhole }
  })

const bytesOf = (length: number) => noise(random(length + 1), length)
/** Half of it compresses well. */
const text = (length: number) => Buffer.concat([bytesOf(length >> 1), Buffer.alloc(length - (length >> 1), 'again ')])

describe('content/sqlite/pages/payload', () => {
  for (const [what, length, options] of [
    ['in the page of its row', 500, {}],
    ['that has no bytes', 0, {}],
    ['that ends with the page of its row', PAGE - 30, { local: PAGE - 30 }],
    ['of a few bytes more than fit the page of its row', 1003, {}],
    ['that ends with a page', 1000 + 2 * IN_PAGE, {}],
    ['that begins another page with its last byte', 1001 + 2 * IN_PAGE, {}],
    ['of which nothing is in the page of its row', 9000, { local: 0 }],
    ['that is longer than a piece of a stream', (2 << 20) + 777, {}],
  ] as [string, number, RowOptions][]) {
    it(`reads a blob ${what}, and tells when a byte of it differs`, () => {
      const blob = bytesOf(length)
      const row = rowOf(blob, options)
      expect(gathered(row)?.equals(blob)).to.equal(true)
      expect(piecesOf(row)).to.deep.include({ bytes: blob, isWhole: true })
      expect(isIntact(row)).to.equal(true)
      if (length === 0) return
      for (const at of [0, length - 1]) {
        const other = rowOf(Buffer.from(blob.map((byte, i) => (i === at ? byte ^ 1 : byte))), options)
        expect(
          isIntact({ ...other, page: Buffer.concat([row.page.subarray(0, 30), other.page.subarray(30)]) }),
        ).to.equal(false)
      }
    })
  }

  it('takes no byte of the columns that follow a blob', () => {
    const blob = bytesOf(700)
    const row = rowOf(blob, { after: 2 })
    // The last column lies in an overflow page.
    row.cell.payload += 3
    expect(row.cell.overflows).to.equal(true)
    expect(gathered(row)).to.deep.equal(blob)
    expect(piecesOf(row)).to.deep.equal({ bytes: blob, lengths: [700], isWhole: true })
    expect(isIntact(row)).to.equal(true)
  })

  for (const length of [300, 100_000]) {
    it(`expands ${length} compressed bytes, to their size exactly`, () => {
      const expanded = text(length)
      const row = rowOf(compressed(expanded), { expanded, local: 200 })
      expect(isIntact(row)).to.equal(true)
      expect(piecesOf(row)).to.deep.include({ bytes: expanded, isWhole: true })
      for (const size of [length - 1, length + 1]) {
        row.cell.size = size
        expect(isIntact(row)).to.equal(false)
      }
    })
  }

  it('tells that compressed bytes expand to another blob of the same size', () => {
    const [expanded, other] = [text(3000), text(3000)]
    other[2999] = (other[2999] as number) ^ 1
    const row = rowOf(compressed(other), { expanded, local: 200 })
    expect(piecesOf(row)).to.deep.include({ bytes: other, isWhole: true })
    expect(isIntact(row)).to.equal(false)
  })

  it('takes no bytes for expanded that are left from an intact row of the same blob', () => {
    const expanded = text(3000)
    const stored = compressed(expanded)
    const [intact, damaged] = [stored, stored.subarray(0, -4)].map((bytes) =>
      rowOf(bytes, { expanded, local: bytes.length }),
    )
    const { page, cell, file } = intact as Stored
    withPayload(file, (payload) => {
      expect(payload.isIntact(page, cell, 0, 'sha1', 20)).to.equal(true)
      const { page: other, cell: cut } = damaged as Stored
      expect(payload.isIntact(other, cut, 0, 'sha1', 20)).to.equal(false)
    })
  })

  it('reads blobs of any length one after another', () => {
    const lengths = [70_000, 3000, 1003, 200_000, 66_000, 500, 199_999]
    const rows = lengths.flatMap((length) => {
      const expanded = text(length)
      return [rowOf(bytesOf(length)), rowOf(compressed(expanded), { expanded, local: 100 })]
    })
    // One file of all pages: the numbers of those of each row are moved behind the rows before.
    let before = 0
    for (const { page, cell, file } of rows) {
      for (let at = PAGE; at < file.length; at += PAGE) {
        const next = file.readUInt32BE(at)
        if (next > 0) file.writeUInt32BE(next + before, at)
      }
      if (cell.overflows) page.writeUInt32BE(page.readUInt32BE(cell.localEnd) + before, cell.localEnd)
      before += file.length / PAGE
    }
    withPayload(Buffer.concat(rows.map(({ file }) => file)), (payload) => {
      const answers = rows.map(({ page, cell }) => payload.isIntact(page, cell, 0, 'sha1', 20))
      expect(answers).to.deep.equal(rows.map(() => true))
    })
  })

  for (const [what, stored, expanded] of [
    ['stored', bytesOf((4 << 20) + 1), undefined],
    ['expanded', compressed(Buffer.alloc((4 << 20) + 1, 'again ')), Buffer.alloc((4 << 20) + 1, 'again ')],
  ] as [string, Buffer, Buffer | undefined][]) {
    it(`proves a blob of more than 4 MiB, ${what}, without all of it in memory`, () => {
      const row = rowOf(stored, expanded ? { expanded } : {})
      withPayload(row.file, (payload) => {
        expect(payload.isIntact(row.page, row.cell, 0, 'sha1', 20)).to.equal(true)
        // It was not gathered.
        expect(payload.bytes).to.have.length(0)
        row.page[10] = (row.page[10] as number) ^ 1
        expect(payload.isIntact(row.page, row.cell, 0, 'sha1', 20)).to.equal(false)
      })
    })
  }

  it('tells that a blob of more than 4 MiB does not expand to its size', () => {
    const expanded = Buffer.alloc((4 << 20) + 10, 'again ')
    const row = rowOf(compressed(expanded), { expanded })
    row.cell.size += 1
    expect(isIntact(row)).to.equal(false)
  })

  it('streams whole pages at a time, and what is left', () => {
    const most = Math.floor((1 << 20) / IN_PAGE) * IN_PAGE
    const { bytes, lengths } = piecesOf(rowOf(bytesOf(1000 + 2 * most + 5)))
    expect(lengths).to.deep.equal([1000, most, most, 5])
    expect(bytes.equals(bytesOf(1000 + 2 * most + 5))).to.equal(true)
  })

  for (const [what, next] of [
    ['no page', 0],
    ['a page behind the end of the file', 99],
  ] as [string, number][]) {
    it(`reads no more of a blob whose chain leads to ${what}`, () => {
      const blob = bytesOf(1000 + 3 * IN_PAGE)
      const row = rowOf(blob)
      // Of the three overflow pages, that in the middle is page 4.
      row.file.writeUInt32BE(next, 3 * PAGE)
      expect(gathered(row)).to.equal(undefined)
      expect(isIntact(row)).to.equal(false)
      expect(piecesOf(row).bytes.equals(blob.subarray(0, 1000 + 2 * IN_PAGE))).to.equal(true)
    })
  }

  it('reads a blob to the end of a file that is cut off in its last page, and no further', () => {
    const blob = bytesOf(1000 + 50)
    const { page, cell } = rowOf(blob)
    const whole = rowOf(blob).file.subarray(0, 2 * PAGE)
    const lastPage = (length: number) => Buffer.concat([whole, rowOf(blob).file.subarray(2 * PAGE, 2 * PAGE + length)])
    expect(gathered({ page, cell, file: lastPage(54) })?.equals(blob)).to.equal(true)
    for (const length of [53, 4, 3, 0]) {
      const cut = { page, cell, file: lastPage(length) }
      expect(gathered(cut)).to.equal(undefined)
      expect(isIntact(cut)).to.equal(false)
      expect(piecesOf(cut).bytes.equals(blob.subarray(0, 1000 + Math.max(0, length - 4)))).to.equal(true)
    }
  })

  for (const stored of [1 << 20, 1 << 30]) {
    it(`does not follow a chain of pages that comes back to itself, for ${stored} bytes`, () => {
      const path = `${scratch()}/content.sqlite`
      const file = Buffer.alloc(4 * PAGE)
      file.writeUInt32BE(2, PAGE)
      writeFileSync(path, file)
      const page = Buffer.alloc(PAGE)
      page.writeUInt32BE(2, 1000)
      const cell = new ObjectCell()
      Object.assign(cell, {
        record: 0,
        payload: stored + 60,
        localEnd: 1000,
        digestAt: 10,
        storedAt: 30,
        stored,
        size: -1,
      })
      const files = new CountingFiles(path)
      try {
        expect(new Payload(files).isIntact(page, cell, 0, 'sha1', 20)).to.equal(false)
        expect(files.reads).to.equal(0)
      } finally {
        files.close()
      }
    })
  }
})
