#!/bin/sh
':' //; while read -r FLUX_TS_LINE FLUX_TS_SIGIGN; do [ "$FLUX_TS_LINE" = SigIgn: ] && break; done 2>&- </proc/self/status; export FLUX_TS_SIGIGN
':' //; enough() { [ "$1" -lt "$2" ] 2>&- || return 0; echo "flux-ts: Node.js needs $2 $3, but the limit is $1; raise it (ulimit $4)" >&2; exit 1; }
':' //; limits() { enough "$1" 30 'open files' -n; enough "$2" 1500000 'KiB of address space' -v; }; limits $(ulimit -n; ulimit -v)
':' //; exec node "$0" "$@"
// The lines above are run by the shell; for Node they are comments. They pass on which signals are ignored (by nohup, or by
// trap ''), because Node.js resets them when it starts. And where a limit is so low that Node.js would crash before it
// runs any of our code, they say so.
const ignored = process.env.FLUX_TS_SIGIGN
delete process.env.FLUX_TS_SIGIGN
// Only dynamic imports: static ones would be loaded, and fail, before the check.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 20)) {
  process.stderr.write(
    `flux-ts: Node.js 22.20 or newer is required, but this is ${process.version} (${process.execPath})\n`,
  )
  process.exit(1)
}
// For example, when a file of the program itself cannot be opened. Errors of commands do not get here.
process.once('uncaughtException', (error) => {
  const text = process.env.DEBUG ? error.stack : `${error.message.split('\n')[0]}; DEBUG=1 says where`
  process.stderr.write(`flux-ts: ${text}\n`)
  process.exit(1)
})
if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Answered without oclif, in its words: scripts ask it often.
  const { readFileSync, writeSync } = await import('node:fs')
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  try {
    writeSync(1, `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
  } catch (error) {
    if (error.code !== 'EPIPE') throw error
    process.exitCode = 1
  }
} else {
  const { start } = await import('../bundle/start.js')
  start()
  const [first, ...rest] = process.argv.slice(2)
  if (first === '__complete') {
    const { completeKeys } = await import('../bundle/cli/completion/keys.js')
    await completeKeys(rest, ignored)
  } else if (first === '__complete_jobids' || first === '__complete_jobs') {
    const { completeJobids } = await import('../bundle/cli/completion/jobids.js')
    await completeJobids(rest, first === '__complete_jobs', ignored)
  } else {
    const { run } = await import('../bundle/cli/run.js')
    await run(import.meta.resolve('../bundle/start.js'), process.argv.slice(2), ignored)
  }
}
