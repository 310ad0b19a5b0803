/** Hints for what a format cannot hold. They name tar, which holds everything. */
import { EXTENSION } from './tar/layout.ts'

/** The hint for attributes that all members have. */
export const OTHER_FORMAT = `write a ${EXTENSION} instead`

/** The hint for a key. */
export const OTHER_FORMAT_OR_EXCLUDE = `${OTHER_FORMAT}, or leave it out with --exclude`
