/**
 * The pax records that a dump adds to a member whose path or link target cannot express the key or target exactly. A
 * restore reads them.
 */

/** The exact components of a key, as a JSON array of strings. */
export const COMPONENTS_RECORD = 'FLUX.components'

/** The exact target of a symlink whose target contains a NUL, as a JSON string. */
export const LINKNAME_RECORD = 'FLUX.linkname'
