/** Formats the statistics of a content store. */
import type { ServiceStats, Totals } from '../../content/index.ts'
import { byteText, grouped } from '../../errors/index.ts'
import type { ContentStats } from '../../inspect/index.ts'

/** A name, and its count or size. */
export type StatsRow = readonly [name: string, value: number, unit?: 'bytes']

export function statsRows({
  all,
  garbage,
  unreadable,
  unreadableDirs,
  fileBytes,
  freeBytes,
}: ContentStats): StatsRow[] {
  const rows: StatsRow[] = [
    ['objects', all.objects],
    ['bytes', all.bytes, 'bytes'],
    ['stored bytes', all.storedBytes, 'bytes'],
    ['compressed objects', all.compressed],
    ['bytes of compressed objects', all.compressibleBytes, 'bytes'],
    ['database bytes', fileBytes, 'bytes'],
    ['free bytes', freeBytes, 'bytes'],
  ]
  if (unreadable > 0) rows.push(['unreadable objects', unreadable])
  if (garbage === undefined) return rows
  rows.push(
    ['garbage objects', garbage.objects],
    ['garbage bytes', garbage.bytes, 'bytes'],
    ['garbage stored bytes', garbage.storedBytes, 'bytes'],
  )
  if (unreadableDirs > 0) rows.push(['unreadable directories', unreadableDirs])
  return rows
}

/** Messages about objects and directories that could not be read, so that they are missing in the numbers. */
export function statsComplaints({ unreadable, unreadableDirs }: ContentStats): string[] {
  const complaints: string[] = []
  const count = (number: number, one: string, many: string) => `${grouped(number)} ${number === 1 ? one : many}`
  if (unreadable > 0)
    complaints.push(
      `${count(unreadable, 'object', 'objects')} could not be read, and ${unreadable === 1 ? 'is' : 'are'} not counted`,
    )
  if (unreadableDirs > 0) {
    const dirs = count(unreadableDirs, 'directory', 'directories')
    const whose = unreadableDirs === 1 ? 'it leads' : 'they lead'
    complaints.push(`${dirs} could not be read: what only ${whose} to is counted as garbage`)
  }
  return complaints
}

export function serviceStatsRows({ cache, backing }: ServiceStats): StatsRow[] {
  const rows: StatsRow[] = [
    ['cache objects', cache.count],
    ['cache valid', cache.valid],
    ['cache dirty', cache.dirty],
    ['cache bytes', cache.size, 'bytes'],
  ]
  if (backing) rows.push(['objects', backing.objects])
  if (backing?.fileBytes !== undefined) rows.push(['database bytes', backing.fileBytes, 'bytes'])
  return rows
}

/** @param forPeople - columns with rounded sizes and grouped digits; otherwise name, tab, exact number */
export function statsText(rows: readonly StatsRow[], forPeople: boolean): string {
  if (!forPeople) return rows.map(([name, value]) => `${name}\t${value}\n`).join('')
  const numbers = rows.map(([, value, unit]) => (unit === 'bytes' ? byteText(value) : grouped(value)))
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  const width = Math.max(...numbers.map(({ length }) => length))
  return rows.map(([name], i) => `${name.padEnd(nameWidth)}  ${numbers[i]?.padStart(width)}\n`).join('')
}

/** Statistics of a store on disk, as `--json` prints them. */
export function statsJson(stats: ContentStats): object {
  const { all, garbage, unreadable, unreadableDirs, fileBytes, freeBytes } = stats
  const reachable = garbage && {
    reachable: totalsJson(stats.marked),
    garbage: totalsJson(garbage),
    unreadableDirectoryCount: unreadableDirs,
  }
  return { ...totalsJson(all), unreadableCount: unreadable, fileBytes, freeBytes, ...reachable }
}

/** Statistics of a live instance, as `--json` prints them. */
export function serviceStatsJson({ cache, backing }: ServiceStats): object {
  const { count, valid, dirty, size } = cache
  return {
    cache: { objectCount: count, validCount: valid, dirtyCount: dirty, objectBytes: size },
    backing: backing
      ? { module: backing.module, objectCount: backing.objects, fileBytes: backing.fileBytes ?? null }
      : null,
  }
}

function totalsJson({ objects, bytes, storedBytes, compressed, compressibleBytes }: Totals): object {
  return {
    objectCount: objects,
    objectBytes: bytes,
    storedBytes,
    compressedCount: compressed,
    compressedBytes: compressibleBytes,
  }
}
