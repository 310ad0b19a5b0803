import { closeSync, openSync } from 'node:fs'
import { expect } from 'chai'
import { type Figures, Flatness, figuresOf, ownFigures } from './figures.ts'

const SOME: Figures = { memory: 50_000_000, descriptors: 20, sockets: 2, threads: 11 }

/** What is said of these figures, round by round: `undefined`, or an error's message. */
function judged(figures: (round: number) => Partial<Figures>, memory = true): string | undefined {
  let round = 0
  const flat = new Flatness('it', () => ({ ...SOME, ...figures(round++) }), 40)
  for (let n = 0; n < 40; n++) flat.record()
  const { log } = console
  console.log = () => {}
  try {
    flat.report({ memory })
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    console.log = log
  }
}

describe('soak/figures', () => {
  it('takes what is flat, and what grows while it warms up', () => {
    expect(judged(() => ({}))).to.equal(undefined)
    expect(
      judged((round) => ({ threads: Math.min(11 + round, 15), memory: 40e6 + 20e6 * Math.min(round, 5) })),
    ).to.equal(undefined)
  })

  it('says what grows', () => {
    expect(judged((round) => ({ descriptors: 20 + Math.floor(round / 10) }))).to.equal('it: descriptors grew')
    expect(judged((round) => ({ sockets: 2 + round, descriptors: 20 + round }))).to.equal(
      'it: descriptors, sockets grew',
    )
    expect(judged((round) => ({ memory: 50e6 + round * 1e6 }))).to.equal('it: memory grew')
    expect(judged((round) => ({ memory: 50e6 + round * 1e6 }), false)).to.equal(undefined)
  })

  it('counts the descriptors and the memory of a process', () => {
    const before = figuresOf(process.pid)
    const fds = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
    const after = figuresOf(process.pid)
    for (const fd of fds) closeSync(fd)
    expect(after.descriptors - before.descriptors).to.equal(2)
    expect(after.threads).to.be.greaterThan(0)
    const kept = Buffer.alloc(50_000_000)
    const { memory } = ownFigures()
    expect(memory).to.be.greaterThan(kept.length)
  })
})
