/**
 * Fuzzes what reads bytes from outside: `npm run fuzz -- --minutes 5`, for some targets with `--target NAME`. The time is
 * divided among them. `--inputs N` ends each target after so many; `--seed N` repeats the choices of a run. Finds are
 * written to `test/fuzz/finds`, where `npm test` runs them; `--keep` adds inputs that run something new to the corpus.
 */
import { parseArgs } from 'node:util'
import { keepCorpus, keepFind } from './corpus.ts'
import type { Find } from './fuzzer.ts'
import { supervise } from './supervise.ts'
import { TARGETS } from './targets/index.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string', multiple: true },
    explore: { type: 'string', default: '0.1' },
    keep: { type: 'boolean', default: false },
  },
})
const names = TARGETS.map(({ name }) => name)
const targets = values.target ?? names
const unknown = targets.find((name) => !names.includes(name))
if (unknown !== undefined) {
  console.error(`${unknown}: no such target; there are ${names.join(', ')}`)
  process.exit(2)
}
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed)
const minutes = Number(values.minutes ?? (values.inputs === undefined ? 1 : Number.POSITIVE_INFINITY))
const inputs = Number(values.inputs ?? Number.POSITIVE_INFINITY)
if (!(seed >= 0 && minutes > 0 && inputs > 0)) {
  console.error('--minutes, --inputs and --seed are numbers')
  process.exit(2)
}

let finds = 0
function report(find: Find): void {
  finds++
  console.log(`FIND ${find.target}: ${find.what}\n  ${keepFind(find)} (${find.input.length} bytes)\n${find.stack}\n`)
}

console.log(`seed ${seed}`)
await supervise(
  {
    targets,
    seed,
    inputs: Object.fromEntries(targets.map((name) => [name, inputs])),
    seconds: (minutes * 60) / targets.length,
    explore: Number(values.explore),
  },
  ({ target, inputs, seconds, cpuSeconds, blocks, finds, added }) => {
    console.log(
      `${target}: ${inputs} inputs in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${blocks} blocks, ${added.length} inputs that ran something new`,
    )
    for (const find of finds) report(find)
    if (values.keep) keepCorpus(target, added)
  },
  report,
)
if (finds > 0) console.log(`${finds} finds with seed ${seed}`)
process.exitCode = finds > 0 ? 1 : 0
