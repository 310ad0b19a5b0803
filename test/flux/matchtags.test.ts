import { expect } from 'chai'
import { Matchtags, type Responder } from '../../src/flux/matchtags.ts'
import { MessageReader } from '../../src/flux/message-reader.ts'

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
})
