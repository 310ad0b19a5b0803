// Writes the import rules into biome.json, from the table of rooms below. With --check it changes nothing, and fails if
// biome.json differs from the table. Usage: node tools/import-rules.js [--check] [BIOME_JSON]
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'

/**
 * @typedef {object} Room
 * @property {string} room - its folder in src/
 * @property {boolean} [base] - true for a base room: every other room may import it
 * @property {string[]} imports - the rooms that it may import, besides the base rooms; a base room lists all; `*` is
 *   every room
 * @property {string[]} [libraries] - which of LIBRARIES it may import
 * @property {boolean} [hasTasks] - its tasks.ts may import listr2
 * @property {boolean} [isDeep] - its files lie up to two folders deep
 * @property {string} reason - the linter's message when the rule is broken
 */

const USE_CASE = 'a use case imports archive/, kvs/ and content/, and no other use case.'
const CONTENT = 'content/ imports nothing above it, and only content/broker/ sees flux/.'
const ANY = ['*']

/**
 * The rooms, the lowest first. A new base room needs one line. Another room needs a line, and its name in `imports` of
 * the rooms above it.
 *
 * @type {Room[]}
 */
const ROOMS = [
  { room: 'errors', base: true, imports: [], reason: 'errors/ lies under all rooms and imports none.' },
  { room: 'bytes', base: true, imports: ['errors'], reason: 'bytes/ is pure and lies under all rooms but errors/.' },
  { room: 'files', base: true, imports: ['errors'], reason: 'files/ lies under all rooms and imports errors/ alone.' },
  {
    room: 'threads',
    base: true,
    imports: ['errors'],
    reason: 'threads/ lies under all rooms and imports errors/ alone.',
  },
  {
    room: 'resource',
    base: true,
    imports: ['errors'],
    reason: 'resource/ is pure and lies under all rooms but errors/.',
  },
  { room: 'flux', imports: [], reason: 'flux/ knows the broker and nothing of content or the KVS.' },
  { room: 'content', imports: [], isDeep: true, reason: CONTENT },
  { room: 'content/broker', imports: ['content', 'flux'], reason: CONTENT },
  {
    room: 'kvs',
    imports: ['content'],
    reason: 'kvs/ sees blobs through content/ alone and knows nothing of archives.',
  },
  { room: 'archive', imports: [], isDeep: true, reason: 'archive/ takes entries and knows nothing of Flux.' },
  { room: 'dump', imports: ['archive', 'kvs', 'content'], hasTasks: true, reason: USE_CASE },
  { room: 'restore', imports: ['archive', 'kvs', 'content'], hasTasks: true, reason: USE_CASE },
  { room: 'transfer', imports: ['kvs', 'content'], hasTasks: true, reason: USE_CASE },
  { room: 'inspect', imports: ['archive', 'kvs', 'content'], hasTasks: true, isDeep: true, reason: USE_CASE },
  {
    room: 'rescue',
    imports: ['dump', 'transfer', 'inspect', 'archive', 'kvs', 'content'],
    reason: 'rescue/ stands on the other use cases.',
  },
  {
    room: 'export',
    imports: ['inspect', 'kvs', 'content'],
    isDeep: true,
    reason: 'export/ stands on inspect/ and writes what other programs read.',
  },
  {
    room: 'report',
    imports: ['inspect', 'kvs', 'content'],
    isDeep: true,
    reason: 'report/ stands on inspect/ and shows what it finds.',
  },
  {
    room: 'cli',
    imports: ['report', 'rescue', 'dump', 'restore', 'transfer', 'inspect', 'archive', 'kvs', 'content'],
    libraries: ['@oclif/*', 'listr2'],
    reason: 'cli/ is what commands share; it does not know them.',
  },
  { room: 'commands', imports: ANY, libraries: ['@oclif/*'], reason: '' },
  { room: 'hooks', imports: ANY, libraries: ['@oclif/*'], reason: '' },
]

const LIBRARIES = [
  { group: ['@oclif/*'], message: 'Only commands/, hooks/ and cli/ know oclif.' },
  { group: ['listr2'], message: 'Only cli/ and the tasks.ts of a use case know listr2.' },
]

const DOOR = "A room's index.ts is its door: import that."

/**
 * The rule that other rooms are imported only through their index.ts.
 *
 * @param {Room} room
 */
function door({ isDeep = false }) {
  const one = ['../*/*.ts', '!../*/index.ts']
  const two = ['../../*/*.ts', '!../../*/index.ts']
  const three = ['!../../*.ts', ...two, '../../../*/*.ts', '!../../../*/index.ts']
  return { group: [...one, ...(isDeep ? three : two)], message: DOOR }
}

/**
 * The rule that lists the rooms that a room must not import. For other rooms, a folder within a room is not a room.
 *
 * @param {Room} room
 */
function above({ room, base, imports, reason }) {
  if (imports === ANY) return []
  const allowed = (other) =>
    other.room === room.split('/')[0] || imports.includes(other.room) || (base !== true && other.base === true)
  const group = ROOMS.filter((other) => !other.room.includes('/') && !allowed(other)).map(
    (other) => `**/${other.room}/**`,
  )
  return [{ group, message: reason }]
}

/** An entry of `overrides` in biome.json. */
function override(include, patterns) {
  const noRestrictedImports = { level: 'error', options: { patterns } }
  return { includes: [include], linter: { rules: { style: { noRestrictedImports } } } }
}

const rules = ROOMS.flatMap((room) => {
  const patterns = [door(room), ...above(room)]
  const libraries = (known) => LIBRARIES.filter(({ group: [library] }) => !known.includes(library))
  const { libraries: known = [], hasTasks = false } = room
  const tasks = override(`src/${room.room}/tasks.ts`, [...patterns, ...libraries([...known, 'listr2'])])
  return [override(`src/${room.room}/**`, [...patterns, ...libraries(known)]), ...(hasTasks ? [tasks] : [])]
})

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true })
const file = positionals[0] ?? fileURLToPath(new URL('../biome.json', import.meta.url))
const config = JSON.parse(readFileSync(file, 'utf8'))
const others = config.overrides.filter(({ linter }) => linter?.rules?.style?.noRestrictedImports === undefined)
const wanted = { ...config, overrides: [...rules, ...others] }
if (!isDeepStrictEqual(config, wanted)) {
  if (values.check) {
    console.error('biome.json: its import rules differ from tools/import-rules.js; npm run import-rules updates them')
    process.exit(1)
  }
  writeFileSync(file, JSON.stringify(wanted, undefined, 2))
  const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url))
  process.exitCode = spawnSync(process.execPath, [biome, 'format', '--write', file], { stdio: 'inherit' }).status ?? 1
}
