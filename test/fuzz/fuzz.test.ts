/** A part of what `npm run fuzz` does, always the same; and all that was ever found. */
import { expect } from 'chai'
import { readFinds } from './corpus.ts'
import { type Find, Fuzzer, problemOf } from './fuzzer.ts'
import { supervise } from './supervise.ts'
import { assertSame, type Target } from './target.ts'
import { TARGETS } from './targets/index.ts'
import type { FuzzResult } from './worker.ts'

const CASES = 20_000
const SEED = 1

async function run(inputs: Readonly<Record<string, number>>): Promise<{ results: FuzzResult[]; finds: Find[] }> {
  const results: FuzzResult[] = []
  const finds: Find[] = []
  await supervise(
    { targets: Object.keys(inputs), seed: SEED, inputs, explore: 0 },
    (result) => {
      results.push(result)
      finds.push(...result.finds)
    },
    (find) => finds.push(find),
  )
  return { results, finds }
}

/** A find as a message that leads to its input. */
const said = ({ target, what, stack, input }: Find) => `${target}: ${what}\n${stack}\n${input.toString('base64')}`

describe('fuzzing', () => {
  it(`finds nothing in ${CASES} inputs over all targets`, async () => {
    const names = TARGETS.map(({ name }) => name)
    const shares = TARGETS.reduce((sum, { share = 1 }) => sum + share, 0)
    const inputs = TARGETS.map(({ name, share = 1 }) => [name, Math.ceil((CASES * share) / shares)] as const)
    const { results, finds } = await run(Object.fromEntries(inputs))
    expect(finds.map(said)).to.deep.equal([])
    expect(results.map(({ target }) => target)).to.deep.equal(names)
    expect(results.reduce((sum, { inputs }) => sum + inputs, 0)).to.be.at.least(CASES)
  })

  for (const target of TARGETS) {
    for (const { name, input } of readFinds(target.name)) {
      it(`does not find ${target.name}/${name} again`, async () => {
        expect((await problemOf(target, input))?.stack).to.equal(undefined)
      })
    }
  }

  it('finds an error that is not expected, in the shortest input that has it', async () => {
    const target: Target = {
      name: 'toy',
      budgetBytes: 1 << 20,
      tokens: ['bad'],
      seeds: () => [Buffer.from('some text')],
      run(input) {
        if (input.includes('bad')) throw new TypeError('a bad input')
        assertSame(input.includes('\xff'), false, 'bytes')
      },
      isExpected: () => false,
    }
    const fuzzer = new Fuzzer(target, [Buffer.from('some text')], SEED)
    for (let i = 0; i < 1000; i++) await fuzzer.try(fuzzer.make())
    expect(fuzzer.finds.map(({ what, input }) => [what.split(' ')[0], input.toString()])).to.deep.include([
      'TypeError',
      'bad',
    ])
  })
})
