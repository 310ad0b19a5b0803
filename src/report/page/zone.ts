/** Times in the zone of the reader, with UTC beside them. */
import { timeText } from '../../errors/index.ts'
import { UNKNOWN, utcTime } from '../figures.ts'

/** The short name of the reader's zone at a time: `CET`. */
function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

/** `2026-03-02 11:00:05 CET`, and `10:00:05 UTC`, with the day where that is another; empty where the reader's zone is UTC. */
export function zonedTime(seconds: number): { local: string; utc: string } {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return { local: String(seconds), utc: '' }
  const utc = utcTime(seconds)
  if (date.getTimezoneOffset() === 0) return { local: utc, utc: '' }
  const local = timeText(seconds).replace('T', ' ')
  const isSameDay = local.slice(0, 10) === utc.slice(0, 10)
  return { local: `${local} ${zoneName(date)}`, utc: isSameDay ? utc.slice('2026-11-24 '.length) : utc }
}

/** Both in one text. */
export function bothTimes(seconds: number | null): string {
  if (seconds === null) return UNKNOWN
  const { local, utc } = zonedTime(seconds)
  return utc === '' ? local : `${local} (${utc})`
}

/** The zone of the reader: `Europe/Berlin`. */
export function readersZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'local time'
}

/** Put the times of the reader's zone into the page. */
export function showLocalTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>('time[data-seconds]')) {
    const { local, utc } = zonedTime(Number(element.dataset.seconds))
    element.textContent = local
    if (utc === '') continue
    const small = document.createElement('small')
    small.textContent = ` (${utc})`
    element.append(small)
  }
}
