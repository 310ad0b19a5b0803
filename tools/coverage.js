/**
 * `npm run coverage`: runs the tests and reports which lines and branches of `src/` have run, in the tests' own processes and
 * in those of the command line tool that they start, from here or from an installed copy of the package. It fails when a
 * test fails, or when too little has run: over all files (`.c8rc.json`), or of one file. Arguments go to mocha, in place of
 * all test files; then it fails only with the tests.
 *
 * V8 counts in every process, and Node.js writes the counts as the process ends: some thousand files of a few megabytes. They
 * are merged while the tests run.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UNTESTED } from '../test/lint/untested-messages.ts'
import { Sources } from '../test/support/messages.ts'
import { unproducedMessages, unproducedTexts } from '../test/support/unproduced-messages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(createRequire(import.meta.url).resolve('c8'))
const { mergeProcessCovs } = require('@bcoe/v8-coverage')

const [written, merged, stripped] = ['written', 'tmp', 'sources'].map((name) => join(root, 'coverage', name))
const sourcesUrl = pathToFileURL(join(root, 'src/')).href

/** Files of types alone: no process loads them. */
const typesOnly = []
rmSync(join(root, 'coverage'), { recursive: true, force: true })
for (const dir of [written, merged, stripped]) mkdirSync(dir, { recursive: true })
// Some processes of the tests are those of users without rights.
chmodSync(written, 0o1777)
for (const name of readdirSync(join(root, 'src'), { recursive: true })) {
  if (!name.endsWith('.ts')) continue
  const code = stripTypeScriptTypes(readFileSync(join(root, 'src', name), 'utf8'))
  mkdirSync(dirname(join(stripped, name)), { recursive: true })
  writeFileSync(join(stripped, name), code)
  if (isEmpty(code)) typesOnly.push(wholly(sourcesUrl + name, code.length))
}

let total = { result: typesOnly }
/** @returns whether nothing but comments and exports of types is left of a file */
function isEmpty(code) {
  return code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|^\s*(?:import|export) *\{[\s,]*\} *from .*$/gm, '').trim() === ''
}

/** The counts of a file of which everything has run. */
function wholly(url, endOffset) {
  const ranges = [{ startOffset: 0, endOffset, count: 1 }]
  return { scriptId: '0', url, functions: [{ functionName: '', ranges, isBlockCoverage: true }] }
}

/** Add what processes have written so far to the total. @param {boolean} isLast - no process writes any more */
function mergeWritten(isLast) {
  const counts = []
  const add = () => {
    total = mergeProcessCovs([total, ...counts.splice(0)])
  }
  for (const name of readdirSync(written)) {
    const file = join(written, name)
    let result
    try {
      ;({ result } = JSON.parse(readFileSync(file, 'utf8')))
    } catch (error) {
      // It is being written; or the process was killed as it wrote.
      if (!(error instanceof SyntaxError)) throw error
      if (!isLast) continue
    }
    rmSync(file)
    if (result) counts.push({ result: result.filter(({ url }) => url.startsWith(sourcesUrl)) })
    if (counts.length >= 50) add()
  }
  add()
}

// One file is about the bundle itself, which does not run here.
const all = ['test/**/*.test.ts', '--ignore', 'test/e2e/bundle.test.ts']
const tests = process.argv.length > 2 ? process.argv.slice(2) : all
const loader = pathToFileURL(join(root, 'tools/coverage-loader.js')).href
const mocha = spawn(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...tests], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NODE_V8_COVERAGE: written,
    NODE_OPTIONS: `--import=${loader}`,
    // V8 counts whole functions only, in code that it has kept.
    NODE_DISABLE_COMPILE_CACHE: '1',
  },
})
const timer = setInterval(() => mergeWritten(false), 20_000)
const testStatus = await new Promise((resolve) => mocha.on('close', resolve))
clearInterval(timer)
mergeWritten(true)
writeFileSync(join(merged, 'coverage.json'), JSON.stringify(total))

const sourceTexts = new Sources()
const messages = sourceTexts.messages()
sourceTexts.close()
const untested = new Set(UNTESTED.map(({ file, text }) => `${file}: ${text}`))
/** Texts that are not listed as untested. */
let missing = 0
const counts = new Map(total.result.map(({ url, functions }) => [url.slice(sourcesUrl.length), functions]))
// The page of a report runs in the browser.
const names = readdirSync(stripped, { recursive: true }).filter(
  (name) => name.endsWith('.ts') && !name.startsWith('report/page/'),
)
const unproduced = names.sort().flatMap((name) => {
  const file = `src/${name}`
  const functions = counts.get(name)
  const makers = unproducedMessages(readFileSync(join(stripped, name), 'utf8'), functions)
  const texts = unproducedTexts(
    messages.filter((message) => message.file === file),
    functions,
  ).map(({ line, parts }) => ({ line, text: parts.join('*') }))
  missing += texts.filter(({ text }) => !untested.has(`${file}: ${text}`)).length
  return [...makers, ...texts].map(({ line, text }) => `${file}:${line}: ${text}\n`)
})
writeFileSync(join(root, 'coverage', 'unproduced-messages.txt'), unproduced.join(''))

/** @returns {number} the exit status */
function c8(...args) {
  const command = [join(root, 'node_modules/c8/bin/c8.js'), ...args, '--temp-directory', merged]
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status ?? 1
}
const statuses = [testStatus ?? 1]
if (process.argv.length > 2) statuses.push(c8('report'))
else {
  statuses.push(
    c8('report', '--check-coverage'),
    // The thresholds over all files are in .c8rc.json; these are for each file.
    c8('check-coverage', '--per-file', '--lines=80', '--branches=0'),
    missing,
  )
}
process.exitCode = statuses.some((status) => status !== 0) ? 1 : 0
console.log(
  `${missing} texts of messages were not produced and are not listed in test/lint/untested-messages.ts: see coverage/unproduced-messages.txt`,
)
