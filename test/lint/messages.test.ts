/** Every message for users is expected by some test. */
import { expect } from 'chai'
import { expectedTexts, unexpectedMessages } from '../support/expected-texts.ts'
import { type Message, Sources } from '../support/messages.ts'
import { UNTESTED } from './untested-messages.ts'

const textOf = ({ parts }: Message) => parts.join('*')

/** A message that says nothing but a text. */
const message = (...parts: string[]): Message => ({ file: 'src/x.ts', offset: 0, line: 1, parts })

describe('messages', () => {
  const full = message('cannot read ', ': it is full of holes')
  const other = message('cannot read ', ': it is full of rats')

  it('are expected where a test has four words of them one after another', () => {
    expect(unexpectedMessages([full], ['cannot read a.tar: it is full of holes'])).to.deep.equal([])
    expect(unexpectedMessages([full], ['it is full of'])).to.deep.equal([])
    expect(unexpectedMessages([full], ['cannot read x', 'full of', 'holes'])).to.deep.equal([full])
  })

  it('are told apart by the words that no other message has', () => {
    expect(unexpectedMessages([full, other], ['it is full of'])).to.deep.equal([full, other])
    expect(unexpectedMessages([full, other], ['is full of rats'])).to.deep.equal([full])
  })

  describe('in the sources', () => {
    let messages: Message[]
    let unexpected: Message[]
    before(function () {
      // It starts the compiler.
      this.timeout(120_000)
      const sources = new Sources()
      try {
        messages = sources.messages()
        unexpected = unexpectedMessages(messages, expectedTexts(sources))
      } finally {
        sources.close()
      }
    })

    it('are found wherever they are made', () => {
      const found = new Set(messages.map((message) => `${message.file}: ${textOf(message)}`))
      for (const known of [
        // An argument of an error, its hint, and a hint in a variable.
        'src/kvs/jobid.ts: *: not a job id',
        'src/files/follow-links.ts: remove the link, which leads to itself',
        'src/restore/restore.ts: --allow-empty restores an empty KVS',
        // An entry of a table, a result of a function, an argument of a function that makes the error.
        'src/errors/write-error.ts: choose a shorter name',
        'src/kvs/treeobj.ts: a val without a string',
        'src/content/sqlite/schema.ts: it has no table "objects"',
        // A warning, and an error of a decoder in a thread.
        'src/dump/member-writer.ts: *: no path can hold this key; archived as *',
        'src/archive/filters/xz/lzma2.ts: damaged: properties out of bounds',
      ]) {
        expect(found, known).to.include(known)
      }
    })

    it('are all expected by some test, but for those that are listed with a reason', () => {
      const listed = new Set(UNTESTED.map(({ file, text }) => `${file}: ${text}`))
      const places = unexpected.filter((message) => !listed.has(`${message.file}: ${textOf(message)}`))
      expect(places.map((message) => `${message.file}:${message.line}: ${textOf(message)}`)).to.deep.equal([])
    })

    it('are listed as untested only where they are', () => {
      const untested = new Set(unexpected.map((message) => `${message.file}: ${textOf(message)}`))
      const wrong = UNTESTED.filter(({ file, text }) => !untested.has(`${file}: ${text}`))
      expect(wrong.map(({ file, text }) => `${file}: ${text}`)).to.deep.equal([])
      for (const { reason, text } of UNTESTED) expect(reason, text).to.match(/^[A-Z].*\.$/)
    })
  })
})
