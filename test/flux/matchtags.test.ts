import { expect } from 'chai'
import { FluxError } from '../../src/errors/index.ts'
import { Matchtags, type Responder } from '../../src/flux/matchtags.ts'
import { MessageReader } from '../../src/flux/message-reader.ts'
import type { SilenceRule } from '../../src/flux/silence.ts'

class Recorder implements Responder {
  responses: number[] = []
  failures = 0
  respond(index: number): boolean {
    this.responses.push(index)
    return true
  }
  fail(): void {
    this.failures++
  }
}

function responseTo(matchtag: number, errnum = 0): MessageReader {
  const reader = new MessageReader()
  reader.aux1 = errnum
  reader.aux2 = matchtag
  return reader
}

describe('flux/matchtags', () => {
  it('gives the lowest that is free, from 1', () => {
    const tags = new Matchtags()
    const responder = new Recorder()
    expect([0, 1, 2].map((i) => tags.allocate(responder, i))).to.deep.equal([1, 2, 3])
    tags.respond(responseTo(2), 0)
    expect([3, 4].map((i) => tags.allocate(responder, i))).to.deep.equal([2, 4])
    expect(responder.responses).to.deep.equal([1])
    expect(tags.inUse).to.equal(4)
  })

  it('has so many and no more', () => {
    const tags = new Matchtags()
    const responder = new Recorder()
    for (let i = 0; i < 1 << 24; i++) tags.allocate(responder, i)
    expect(() => tags.allocate(responder, 0))
      .to.throw('16777216 requests are in flight')
      .with.include({ code: 'EAGAIN', hint: 'wait for some of them first' })
  })

  it('keeps that of an abandoned stream until its last response', () => {
    const tags = new Matchtags()
    const responder = new Recorder()
    const tag = tags.allocate(responder, 0)
    tags.abandon(tag, responder, true)
    tags.respond(responseTo(tag), 0)
    expect(tags.inUse).to.equal(1)
    tags.respond(responseTo(tag, 61), 0)
    expect(tags.inUse).to.equal(0)
    expect(responder.responses).to.deep.equal([])
  })

  it('takes no response from a stranger that got the matchtag of a request given up too late', () => {
    const tags = new Matchtags()
    const [late, stranger] = [new Recorder(), new Recorder()]
    const tag = tags.allocate(late, 0)
    tags.respond(responseTo(tag), 0)
    expect(tags.allocate(stranger, 7)).to.equal(tag)
    tags.abandon(tag, late, false)
    tags.respond(responseTo(tag), 0)
    expect(stranger.responses).to.deep.equal([7])
  })

  it('ignores responses to matchtags that are not in use, 0 and the largest among them', () => {
    const tags = new Matchtags()
    for (const tag of [0, 1, 0xffffffff]) tags.respond(responseTo(tag), 0)
    expect(tags.inUse).to.equal(0)
  })

  it('says what is awaited most: what fails in silence, then what is told of, then the first', () => {
    const tags = new Matchtags()
    const waiting = (what: string, rule?: SilenceRule) => {
      const responder = new Recorder()
      tags.allocate(Object.assign(responder, { awaited: rule && { what, rule } }), 0)
    }
    expect(tags.awaited).to.equal(undefined)
    waiting('nothing')
    expect(tags.awaited).to.equal(undefined)
    waiting('first', 'allowed')
    waiting('second', 'allowed')
    expect(tags.awaited?.what).to.equal('first')
    waiting('third', 'told')
    waiting('fourth', 'told')
    expect(tags.awaited?.what).to.equal('third')
    waiting('fifth', 'fails')
    waiting('sixth', 'fails')
    expect(tags.awaited?.what).to.equal('fifth')
  })

  it('fails each responder once, and is then as new', () => {
    const tags = new Matchtags()
    const [batch, other] = [new Recorder(), new Recorder()]
    for (const [index, responder] of [batch, batch, other].entries()) tags.allocate(responder, index)
    tags.failAll(new FluxError('ECONNRESET', 'gone'))
    expect([batch.failures, other.failures, tags.inUse]).to.deep.equal([1, 1, 0])
    tags.respond(responseTo(1), 0)
    expect(batch.responses).to.deep.equal([])
    expect(tags.allocate(other, 0)).to.equal(1)
  })

  it('gives a freed one again only when none below it is free', () => {
    const tags = new Matchtags()
    const responder = new Recorder()
    for (let i = 0; i < 5; i++) tags.allocate(responder, i)
    for (const tag of [2, 4]) tags.respond(responseTo(tag), 0)
    expect([5, 6, 7].map((i) => tags.allocate(responder, i))).to.deep.equal([2, 4, 6])
  })
})
