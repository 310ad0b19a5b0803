/** Shows the records of a job in readable form. */
import { parseJson, stringifyJson } from '../../bytes/index.ts'
import { byteText, printable, type TimeStyle, timeText } from '../../errors/index.ts'
import { type JobRecord, OUTPUT_RECORD, taskOutput } from '../../inspect/index.ts'
import { type EventlogEntry, parseEventlog } from '../../kvs/index.ts'

/** A record, decoded by its name and content: events, JSON, or text. */
export function decodedRecord({ name, value, size, link }: JobRecord): unknown {
  if (link !== undefined) return { link }
  if (value === undefined) return { size }
  const text = Buffer.from(value).toString()
  if (isEventlog(name)) {
    const { entries } = parseEventlog(text, { tolerant: true })
    return entries.map(({ timestamp, name: event, context }) => ({ timestamp, name: event, context }))
  }
  return jsonOf(text) ?? text
}

/**
 * The lines that show a record.
 *
 * @param style - how to write the times of events
 * @param label - put the ranks of the tasks in front of what they wrote
 */
export async function recordLines(record: JobRecord, style: TimeStyle = {}, label = false): Promise<string[]> {
  const { name, value, size, link } = record
  if (link !== undefined) return [`-> ${printable(link)}`]
  if (value === undefined) return [`${byteText(size)}: see --record ${printable(name)}`]
  // J holds the jobspec again, with the user's environment, in base64.
  if (name === 'J') return [`${byteText(size)}, the jobspec as it was signed: see --record J`]
  if (name === OUTPUT_RECORD) return outputLines(value, label)
  const text = Buffer.from(value).toString()
  if (isEventlog(name)) {
    return parseEventlog(text, { tolerant: true }).entries.map((entry) => eventLine(entry, style))
  }
  const json = jsonOf(text)
  return (json === undefined ? text : stringifyJson(json, 2)).trimEnd().split('\n').map(printable)
}

function isEventlog(name: string): boolean {
  return name.endsWith('eventlog') || name === OUTPUT_RECORD || name === 'guest.input'
}

function eventLine({ timestamp, name, context }: EventlogEntry, style: TimeStyle): string {
  const details = Object.entries(context ?? {}).map(([member, value]) => ` ${member}=${stringifyJson(value)}`)
  return printable(`${timeText(timestamp, { ...style, milliseconds: true })} ${name}${details.join('')}`)
}

async function outputLines(value: Uint8Array, label: boolean): Promise<string[]> {
  const lines: string[] = []
  for (const stream of ['stdout', 'stderr'] as const) {
    const chunks = (async function* () {
      yield [value]
    })()
    const pieces: Uint8Array[] = []
    const onElsewhere = (path: string) => lines.push(`${stream} went to ${printable(path)}`)
    for await (const piece of taskOutput(chunks, stream, { label, onElsewhere })) pieces.push(piece)
    const text = Buffer.concat(pieces).toString()
    if (text !== '')
      lines.push(
        ...text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${stream}: ${printable(line)}`),
      )
  }
  return lines
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
