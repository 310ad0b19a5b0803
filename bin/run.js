#!/bin/sh
':' //; while read -r FLUX_TS_LINE FLUX_TS_SIGIGN; do [ "$FLUX_TS_LINE" = SigIgn: ] && break; done 2>&- </proc/self/status; export FLUX_TS_SIGIGN; exec node "$0" "$@"
// The line above is run by the shell; for Node it is a comment. It passes on which signals are ignored (by nohup, or by
// trap ''), because Node.js resets them when it starts.
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
if (ignored) {
  const { keepIgnored } = await import('../dist/errors/ignored-signals.js')
  keepIgnored(ignored)
}
// For example, when a file of the program itself cannot be opened. Errors of commands do not get here.
process.once('uncaughtException', (error) => {
  const text = process.env.DEBUG ? error.stack : `${error.message.split('\n')[0]}; DEBUG=1 says where`
  process.stderr.write(`flux-ts: ${text}\n`)
  process.exit(1)
})
// Node.js compresses and writes files in its thread pool, which has four threads by default.
const { availableParallelism } = await import('node:os')
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2))
const { compileCacheDir } = await import('../dist/cli/compile-cache.js')
const cacheDir = compileCacheDir()
if (cacheDir !== undefined) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache(cacheDir)
}
const { fillInMissingHome } = await import('../dist/cli/missing-home.js')
fillInMissingHome()
if (process.argv[2] === '__complete') {
  const { completeKeys } = await import('../dist/cli/completion/keys.js')
  await completeKeys(process.argv.slice(3))
} else {
  const { execute } = await import('@oclif/core')
  // This tool cannot install plugins, so it does not look for any in the user's data directory.
  await execute({ loadOptions: { root: import.meta.filename, userPlugins: false, devPlugins: false } })
}
