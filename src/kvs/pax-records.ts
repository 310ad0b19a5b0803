/** The pax records that a dump writes beside a member whose path or link cannot say what it is, for a restore. */

/** Holds the exact components of a key, as a JSON array of strings. */
export const COMPONENTS_RECORD = 'FLUX.components'

/** Holds the exact target of a symlink whose target holds a NUL, as a JSON string. */
export const LINKNAME_RECORD = 'FLUX.linkname'
