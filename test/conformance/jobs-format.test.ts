/** The table of `jobs`, compared with that of `flux jobs` on a real instance with jobs of every kind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { JOB_ARGUMENTS } from '../support/job-formats.ts'
import { cleanEnv, has, runAside } from '../support/processes.ts'

const SCENARIO = fileURLToPath(new URL('../support/job-scenario.sh', import.meta.url))
/** With this variable, what the real tool says becomes the fixture of the test that needs no Flux. */
const RECORDS = process.env.FLUX_TS_RECORD !== undefined

/** An instance with the jobs of the scenario, for as long as its standard input is open. */
async function startScenario(cwd: string) {
  const script = `. '${SCENARIO}'; echo "READY $FLUX_URI"; cat; flux cancel --all`
  const child = spawn('flux', ['start', '-s4', 'bash', '-c', script], {
    cwd,
    env: cleanEnv(),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  let out = ''
  const ready = (async () => {
    for await (const text of child.stdout.setEncoding('utf8')) {
      out += text
      const [, uri] = /^READY (\S+)$/m.exec(out) ?? []
      if (uri !== undefined) return uri
    }
    throw new Error(`the scenario failed: ${said}`)
  })()
  const uri = await ready
  return {
    uri,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      child.stdout.resume()
      await exited
    },
  }
}

if (has('flux')) {
  describe('conformance of the table of jobs', () => {
    it('is equal to that of flux jobs line by line, live and from a dump', async () => {
      const dir = scratch()
      await using instance = await startScenario(dir)
      const env = { FLUX_URI: instance.uri, TZ: 'UTC' }
      const archive = join(dir, 'dump.tar')
      expect((await runAside('flux', ['dump', '-q', archive], env)).status).to.equal(0)
      const info = await runInProcess(['archive', 'info', '--json', archive])
      const seconds = Date.parse(JSON.parse(info.stdout.toString()).newest) / 1000
      // The time at which it is asked is the time of the dump: then running jobs have run equally long.
      const modules = join(dir, 'python')
      mkdirSync(modules)
      writeFileSync(join(modules, 'sitecustomize.py'), `import time\ntime.time = lambda: ${seconds}.0\n`)
      const theirEnv = { ...env, FLUX_PYTHONPATH_PREPEND: modules }
      const realNow = Date.now
      const printed: { args: readonly string[]; stdout: string }[] = []
      try {
        for (const args of JOB_ARGUMENTS) {
          const theirs = await runAside('flux', ['jobs', '-a', '-c0', ...args], theirEnv)
          expect(theirs.stderr, args.join(' ')).to.equal('')
          const stdout = theirs.stdout.toString()
          printed.push({ args, stdout })
          const dumped = await runInProcess(['jobs', '--archive', archive, ...args], { TZ: 'UTC' })
          expect({ args, stdout: dumped.stdout.toString() }).to.deep.equal({ args, stdout })
          Date.now = () => seconds * 1000
          const live = await runInProcess(['jobs', ...args], env)
          Date.now = realNow
          expect({ args, stdout: live.stdout.toString() }).to.deep.equal({ args, stdout })
        }
      } finally {
        Date.now = realNow
      }
      if (!RECORDS) return
      mkdirSync(fixture('jobs-format'), { recursive: true })
      const { readFileSync } = await import('node:fs')
      writeFileSync(fixture('jobs-format', 'dump.tgz'), gzipSync(readFileSync(archive), { level: 9 }))
      writeFileSync(fixture('jobs-format', 'printed.json'), `${JSON.stringify(printed, null, 2)}\n`)
    })
  })
}
