/**
 * `npm run mutation [-- ROOM|FILE...]`: changes one operator, condition or block of a source at a time (a mutant), and runs the
 * tests that reach it. A mutant that no test fails on has survived: a test is missing, or the code does nothing. All rooms
 * without arguments.
 *
 * Stryker makes the mutants, in a copy of the repository; `mocha-runner.js` runs the tests. What it finds is kept in `mutation/`
 * and is not computed again while neither the source nor the tests that reach it change.
 */
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

const root = fileURLToPath(new URL('../..', import.meta.url))
process.chdir(root)

/**
 * The sources of each room that are mutated, and the tests that run them. Left out is what runs in threads and in other
 * processes, where Stryker does not see which test reaches what.
 */
const ROOMS = {
  flux: {
    sources: 'src/flux/{framing,json-payload,matchtags,message-reader,proto,rpc-error,send-buffer,uri}.ts',
    tests: 'test/flux/*.test.ts',
  },
  kvs: { sources: 'src/kvs/*.ts', tests: 'test/kvs/*.test.ts' },
  archive: {
    sources: 'src/archive/{*,formats/**/*}.ts',
    tests: 'test/archive/{*,formats/**/*}.test.ts',
  },
  content: { sources: 'src/content/**/*.ts', tests: 'test/content/**/*.test.ts' },
}
/** Types, lists of exports, and the ends of threads. */
const LEFT_OUT = /\/index\.ts$|thread/

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: { type: 'string', default: '1' },
    static: { type: 'boolean' },
    force: { type: 'boolean' },
    tests: { type: 'string' },
    grep: { type: 'string', default: '' },
  },
})

const chosen = new Map()
for (const name of positionals.length > 0 ? positionals : Object.keys(ROOMS)) {
  const room = Object.hasOwn(ROOMS, name) ? name : /^src\/([^/]+)\/.+\.ts$/.exec(name)?.[1]
  if (room === undefined || !Object.hasOwn(ROOMS, room) || (name !== room && !existsSync(name))) {
    console.error(`npm run mutation: ${name} is neither one of ${Object.keys(ROOMS).join(', ')} nor a source of one`)
    process.exit(2)
  }
  const sources = name === room ? globSync(ROOMS[room].sources).filter((file) => !LEFT_OUT.test(file)) : [name]
  chosen.set(room, [...(chosen.get(room) ?? []), ...sources])
}
for (const [room, sources] of chosen) {
  const mutants = await mutate(room, sources)
  // Those of other files are from earlier runs.
  const own = mutants.filter(({ fileName }) => sources.includes(relative(root, fileName)))
  summarize(room, own)
}

/** @param {string} room @param {string[]} sources */
function mutate(room, sources) {
  const dir = join('mutation', room)
  mkdirSync(dir, { recursive: true })
  // Of a run that was killed.
  rmSync(join(dir, 'copy'), { recursive: true, force: true })
  return new Stryker({
    mutate: sources,
    testRunner: 'mocha-in-process',
    plugins: [join(root, 'tools/mutation/mocha-runner.js'), join(root, 'tools/mutation/texts.js')],
    ignorers: ['texts'],
    mochaFiles: globSync(values.tests ?? ROOMS[room].tests).sort(),
    mochaGrep: values.grep,
    coverageAnalysis: 'perTest',
    // What runs as a file is loaded needs a process of its own for each mutant.
    ignoreStatic: !values.static,
    incremental: true,
    force: values.force ?? false,
    incrementalFile: join(dir, 'incremental.json'),
    reporters: ['html', 'json', process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    htmlReporter: { fileName: join(dir, 'report.html') },
    jsonReporter: { fileName: join(dir, 'report.json') },
    dryRunTimeoutMinutes: 60,
    // The runner tells hanging tests by other means.
    timeoutMS: 3_600_000,
    concurrency: Number(values.concurrency),
    tempDirName: join(dir, 'copy'),
    cleanTempDir: 'always',
    ignorePatterns: ['/bundle', '/coverage', '/dist', '/docs', '/man', '/mutation', '/test/fuzz/corpus'],
    // A file that is not there: Stryker would rewrite it by an API that TypeScript 7 does not have.
    tsconfigFile: 'none',
    // Node.js strips the types and does not check them.
    disableTypeChecks: false,
    logLevel: 'error',
  }).runMutationTest()
}

/** Print the score of each file, and the mutants that survived. @param {import('@stryker-mutator/api/core').MutantResult[]} mutants */
function summarize(room, mutants) {
  const lines = []
  const files = Map.groupBy(mutants, ({ fileName }) => relative(root, fileName))
  for (const [file, those] of files.size > 1 ? [...files, [room, mutants]] : files) {
    const count = (...statuses) => those.filter(({ status }) => statuses.includes(status)).length
    const [killed, survived, unreached] = [count('Killed', 'Timeout'), count('Survived'), count('NoCoverage')]
    const percent = (whole) => (whole === 0 ? '    -' : `${((100 * killed) / whole).toFixed(1)}%`.padStart(6))
    lines.push(
      `${percent(killed + survived + unreached)} of ${killed + survived + unreached}, ` +
        `${percent(killed + survived)} of the ${killed + survived} reached: ${file}` +
        (count('Ignored') > 0 ? ` (${count('Ignored')} ignored)` : ''),
    )
  }
  for (const { fileName, status, location, mutatorName, replacement } of mutants) {
    if (status !== 'Survived' && status !== 'NoCoverage') continue
    const { line, column } = location.start
    const end = location.end.line === line ? location.end.column : `${location.end.line}:${location.end.column}`
    const to = replacement.replaceAll(/\s+/g, ' ').slice(0, 120)
    lines.push(`${status} ${relative(root, fileName)}:${line}:${column}-${end} ${mutatorName}: ${to}`)
  }
  const text = `${lines.join('\n')}\n`
  writeFileSync(join('mutation', room, 'summary.txt'), text)
  process.stdout.write(text)
}
