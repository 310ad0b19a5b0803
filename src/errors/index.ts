export { abortable } from './abortable.ts'
export { abortError, throwIfAborted } from './aborted.ts'
export { type ErrnoName, errnoName, errnoNumber, errnoText } from './errno.ts'
export {
  FluxError,
  type FluxErrorOptions,
  InterruptedError,
  isOutOfMemory,
  MORE_FILES,
  MORE_MEMORY,
} from './flux-error.ts'
export { ignoredSignals, keepIgnored } from './ignored-signals.ts'
export { limitError } from './limit-error.ts'
export { LAST_ID, LAST_SECONDS, secondsSince1970, wholeNumber } from './numbers.ts'
export { OutputError } from './output-error.ts'
export { printable, printableLines } from './printable.ts'
export { byteText, countText, durationText, grouped, type PartDone, partTexts } from './quantity.ts'
export { shellWord } from './shell-word.ts'
export { cutMiddle, messageLine, startOf } from './shorten.ts'
export { isoTime, type TimeStyle, timeText } from './time-text.ts'
export { writeError, writeHint } from './write-error.ts'
