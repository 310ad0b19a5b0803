import { expect } from 'chai'
import { unproducedMessages, unproducedTexts } from '../support/unproduced-messages.ts'

/** What V8 counts: each range has its count unless a smaller one inside has another. */
function counted(text: string, ...blocks: [block: string, count: number][]) {
  const ranges = blocks.map(([block, count]) => {
    const startOffset = text.indexOf(block)
    return { startOffset, endOffset: startOffset + block.length, count }
  })
  return [{ ranges: [{ startOffset: 0, endOffset: text.length, count: 1 }, ...ranges] }]
}

describe('messages that no test has produced', () => {
  const text = "/* new FluxError( */\nif (x) {\n  throw new FluxError('EIO', 'a')\n}\nif (y) { this.warn('b') }\n"

  it('are those in blocks that have not run, by their lines', () => {
    const functions = counted(text, ["{\n  throw new FluxError('EIO', 'a')\n}", 0], ["{ this.warn('b') }", 3])
    expect(unproducedMessages(text, functions).map(({ line }) => line)).to.deep.equal([3])
  })

  it('are told by their texts too, where a block makes one of several', () => {
    const text = "throw new FluxError('EIO', isFull ? 'full' : 'broken')"
    const at = (part: string) => ({ file: 'src/x.ts', offset: text.indexOf(part), line: 1, parts: [part] })
    const messages = [at("'full'"), at("'broken'")]
    expect(unproducedTexts(messages, counted(text, ["'full'", 0]))).to.deep.equal([messages[0]])
    expect(unproducedTexts(messages)).to.deep.equal(messages)
  })

  it('are none where every block has run', () => {
    expect(unproducedMessages(text, counted(text))).to.deep.equal([])
  })

  it('are all of a file that was not loaded', () => {
    expect(unproducedMessages(text).map(({ line }) => line)).to.deep.equal([3, 5])
  })
})
