/**
 * A Stryker plugin that runs Mocha in Stryker's process, by Mocha's public interface: Stryker's own runner replaces parts
 * of Mocha that Mocha 12 does not have. The files of tests, and with them the sources, are loaded once.
 *
 * A mutant that makes a test hang is told by CPU time and idleness, not by the clock, so that a busy machine changes no result.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin'
import {
  DryRunStatus,
  determineHitLimitReached,
  MutantRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner'
import fc from 'fast-check'
import Mocha from 'mocha'

/** CPU time that a mutant may use, beside twice that of its tests without it. */
const EXTRA_CPU_MS = 2000
/** How long the tests of a mutant may wait without doing anything. */
const IDLE_MS = 10_000

/** What the mutated sources read and count in: the mutant that is active, and the test that runs. */
globalThis.__stryker__ ??= {}
const state = globalThis.__stryker__

class MochaRunner {
  static inject = tokens(commonTokens.options)
  #files
  #sources
  #titles
  #mocha
  /** CPU milliseconds of each test, by its full title. */
  #cpuMs = {}

  constructor({ mochaFiles, mochaGrep, mutate }) {
    this.#files = mochaFiles
    this.#sources = mutate
    this.#titles = new RegExp(mochaGrep)
  }

  capabilities() {
    return { reloadEnvironment: false }
  }

  async dryRun() {
    await this.#load()
    const { tests, failure } = await this.#run(this.#titles)
    if (failure) return { status: DryRunStatus.Error, errorMessage: failure }
    // For the processes that come after this one.
    writeFileSync(cpuTimesFile(), JSON.stringify(this.#cpuMs))
    return { status: DryRunStatus.Complete, tests, mutantCoverage: withHooks(state.mutantCoverage, this.#mocha.suite) }
  }

  async mutantRun({ activeMutant, mutantActivation, testFilter, hitLimit }) {
    if (existsSync(hangingFile(activeMutant.id))) return { status: MutantRunStatus.Timeout }
    if (mutantActivation === 'runtime') await this.#load()
    state.activeMutant = activeMutant.id
    state.hitCount = hitLimit === undefined ? undefined : 0
    state.hitLimit = hitLimit
    // For threads and processes, which run the same sources.
    process.env.__STRYKER_ACTIVE_MUTANT__ = activeMutant.id
    await this.#load()
    const titles = testFilter ? new RegExp(`^(?:${testFilter.map(RegExp.escape).join('|')})$`) : this.#titles
    const cpuMs = cpuMsOf(testFilter ?? titlesOf(this.#mocha.suite))
    const endWatch = watch(hangingFile(activeMutant.id), EXTRA_CPU_MS + 2 * cpuMs)
    const { tests, failure } = await this.#run(titles)
    endWatch()
    const endless = determineHitLimitReached(state.hitCount, hitLimit)
    if (endless) return endless
    if (failure && !tests.some(({ status }) => status === TestStatus.Failed)) {
      const killedBy = testFilter?.slice(0, 1) ?? []
      return { status: MutantRunStatus.Killed, killedBy, failureMessage: failure, nrOfTests: tests.length }
    }
    return toMutantRunResult({ status: DryRunStatus.Complete, tests }, false)
  }

  /** Load the tests, unless they are loaded. */
  async #load() {
    if (this.#mocha) return
    // The same inputs in each run, and no search for a shorter one: a mutant is killed by the first.
    fc.configureGlobal({ seed: 1, endOnFailure: true })
    // A file that a test loads would be taken for a part of that test, though it is loaded once.
    for (const file of this.#sources) await import(pathToFileURL(resolve(file)).href)
    // The runner is loaded from the repository, and the tests from Stryker's copy of it.
    const { mochaHooks } = await import(pathToFileURL(resolve('test/support/fixtures.ts')).href)
    this.#mocha = new Mocha({ bail: true, timeout: 0, reporter: class {}, rootHooks: mochaHooks })
    this.#mocha.cleanReferencesAfterRun(false)
    for (const file of this.#files) this.#mocha.addFile(resolve(file))
    await this.#mocha.loadFilesAsync()
    if (!existsSync(cpuTimesFile())) return
    // The first failure ends the run of a mutant, so cheap tests run first.
    const cost = new Map(this.#mocha.suite.suites.map((suite) => [suite, cpuMsOf(titlesOf(suite))]))
    this.#mocha.suite.suites.sort((a, b) => cost.get(a) - cost.get(b))
  }

  /**
   * Run the tests whose full titles match.
   * @returns {Promise<{ tests: object[], failure: string | undefined }>} the failure is that of a hook
   */
  #run(titles) {
    this.#mocha.grep(titles)
    const tests = []
    let failure
    const { promise, resolve: done } = Promise.withResolvers()
    const runner = this.#mocha.run(() => {
      state.currentTestId = undefined
      done({ tests, failure })
    })
    const add = (test, result) => {
      const [id, timeSpentMs] = [test.fullTitle(), test.duration ?? 0]
      tests.push({ id, name: id, fileName: test.file, timeSpentMs, ...result })
    }
    runner.on('hook', (hook) => {
      if (isOfSuite(hook)) state.currentTestId = idOfHooks(hook.parent)
    })
    let cpu
    runner.on('test', (test) => {
      state.currentTestId = test.fullTitle()
      cpu = process.cpuUsage()
    })
    runner.on('test end', (test) => {
      const { user, system } = process.cpuUsage(cpu)
      this.#cpuMs[test.fullTitle()] = (user + system) / 1000
    })
    runner.on('pass', (test) => add(test, { status: TestStatus.Success }))
    runner.on('pending', (test) => add(test, { status: TestStatus.Skipped }))
    runner.on('fail', (failed, error) => {
      const failureMessage = `${error?.message ?? error}`
      if (failed.type === 'test') add(failed, { status: TestStatus.Failed, failureMessage })
      else failure = `${failed.fullTitle()}: ${failureMessage}`
    })
    return promise
  }
}

/** Where the first process leaves the CPU times of the tests for the others. */
function cpuTimesFile() {
  return resolve('cpu-times.json')
}

/** The CPU time that tests took in the first run. @param {string[]} titles */
function cpuMsOf(titles) {
  const times = JSON.parse(readFileSync(cpuTimesFile(), 'utf8'))
  return titles.reduce((sum, title) => sum + (times[title] ?? 0), 0)
}

function titlesOf(suite) {
  const titles = []
  suite.eachTest((test) => titles.push(test.fullTitle()))
  return titles
}

/** The file that says that a mutant made a process hang. */
function hangingFile(mutant) {
  return resolve(`hanging-mutant-${mutant}`)
}

/** Watches the CPU time of this process from a thread, which runs also when the tests are in an endless loop. */
const watchdog = `
  const { parentPort } = require('node:worker_threads')
  const { writeFileSync } = require('node:fs')
  let timer
  parentPort.on('message', ({ file, cpuMs }) => {
    clearInterval(timer)
    if (file === undefined) return
    const start = process.cpuUsage()
    timer = setInterval(() => {
      const { user, system } = process.cpuUsage(start)
      if ((user + system) / 1000 < cpuMs) return
      writeFileSync(file, '')
      process.kill(process.pid, 'SIGKILL')
    }, 500)
  })`
let thread

/**
 * End this process when it has used more CPU time than a mutant may, or has only waited for long. Stryker then runs the mutant
 * again, in a new process, which reports it from the file.
 * @returns a function that ends the watch
 */
function watch(file, cpuMs) {
  if (!thread) {
    thread = new Worker(watchdog, { eval: true })
    thread.unref()
  }
  thread.postMessage({ file, cpuMs })
  let [last, idleMs] = [performance.eventLoopUtilization(), 0]
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const { utilization, idle } = performance.eventLoopUtilization(now, last)
    last = now
    idleMs = utilization < 0.05 ? idleMs + idle : 0
    if (idleMs < IDLE_MS) return
    writeFileSync(file, '')
    process.exit(1)
  }, 500)
  return () => {
    clearInterval(timer)
    thread.postMessage({})
  }
}

/** @returns whether a hook runs once for all tests of a suite */
function isOfSuite(hook) {
  return /^"(?:before|after) all"/.test(hook.title)
}

function idOfHooks(suite) {
  return `hooks of ${suite.fullTitle()}`
}

/** What the hooks of a suite reach, each of its tests reaches. */
function withHooks(coverage, suite) {
  if (coverage === undefined) return undefined
  const id = idOfHooks(suite)
  const ofHooks = Object.entries(coverage.perTest[id] ?? {})
  delete coverage.perTest[id]
  if (ofHooks.length > 0) {
    suite.eachTest((test) => {
      coverage.perTest[test.fullTitle()] ??= {}
      const ofTest = coverage.perTest[test.fullTitle()]
      for (const [mutant, hits] of ofHooks) ofTest[mutant] = (ofTest[mutant] ?? 0) + hits
    })
  }
  for (const inner of suite.suites) withHooks(coverage, inner)
  return coverage
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'mocha-in-process', MochaRunner)]
export const strykerValidationSchema = {
  properties: {
    mochaFiles: { description: 'The files of tests to run.', type: 'array', items: { type: 'string' } },
    mochaGrep: { description: 'A regular expression for the full titles of tests to run.', type: 'string' },
  },
}
