/** `npm run bench -- NAME [options]`: runs one benchmark, and prints its results. */
const [name, ...args] = process.argv.slice(2)
const benches: Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>> = {
  'dump-store': () => import('./dump-store.ts'),
  formats: () => import('./formats.ts'),
  'inspect-store': () => import('./inspect-store.ts'),
  'list-jobs': () => import('./list-jobs.ts'),
  report: () => import('./report.ts'),
  'read-archive': () => import('./read-archive.ts'),
  start: () => import('./start.ts'),
  'write-store': () => import('./write-store.ts'),
}
const load = benches[name ?? '']
if (load === undefined) {
  console.error(`usage: npm run bench -- NAME [options]\nNAME is one of: ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
} else {
  await (await load()).run(args)
}
