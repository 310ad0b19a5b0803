/** Frames of the program zstd, undone. */
import { expect } from 'chai'
import { decode } from '../../../../src/archive/filters/zstd/decode.ts'
import { Reading } from '../../../../src/archive/member.ts'
import { FluxError } from '../../../../src/errors/index.ts'
import { flipped, noise, pieces, sample } from '../../../support/decoding.ts'
import { run } from '../../../support/processes.ts'

const packed = (bytes: Uint8Array, ...args: string[]) => run('zstd', ['-c', '-q', ...args], Buffer.from(bytes))

async function decoded(...chunks: readonly Uint8Array[]): Promise<Buffer> {
  async function* source() {
    yield* chunks
  }
  const out: Buffer[] = []
  for await (const chunk of decode(source(), new Reading('x.tar.zst', 'tar'))) out.push(chunk)
  return Buffer.concat(out)
}

async function failure(...chunks: readonly Uint8Array[]): Promise<FluxError | undefined> {
  try {
    await decoded(...chunks)
    return undefined
  } catch (error) {
    expect(error).to.be.instanceOf(FluxError)
    return error as FluxError
  }
}

describe('the zstd decoder', () => {
  const text = sample(600)
  const frame = packed(text)

  it('takes input split at any offset', async () => {
    for (let at = 0; at <= frame.length; at++) {
      const out = await decoded(frame.subarray(0, at), frame.subarray(at))
      expect(out.equals(text), `split at ${at}`).to.equal(true)
    }
    expect((await decoded(...pieces(frame, 1))).equals(text)).to.equal(true)
  })

  it('takes blocks of all kinds: raw, of one byte, and compressed', async () => {
    const mixed = Buffer.concat([noise(200_000), Buffer.alloc(400_000), sample(200_000)])
    for (const size of [1000, 131_075]) {
      expect((await decoded(...pieces(packed(mixed), size))).equals(mixed), `chunks of ${size}`).to.equal(true)
    }
  })

  it('takes frames one after another for one, and skips what is to be skipped', async () => {
    const skippable = Buffer.from('5f2a4d1803000000616263', 'hex')
    const frames = [skippable, frame, packed(new Uint8Array()), skippable, packed(text, '--no-check', '-19'), skippable]
    const bytes = Buffer.concat(frames)
    const expected = Buffer.concat([text, text])
    expect((await decoded(bytes)).equals(expected)).to.equal(true)
    expect((await decoded(...pieces(bytes, 3))).equals(expected)).to.equal(true)
  })

  it('tells where the input ends too early, wherever that is', async () => {
    const two = Buffer.concat([frame, frame])
    for (let length = 1; length < two.length; length++) {
      if (length === frame.length) continue
      const error = await failure(two.subarray(0, length))
      expect(error?.code, `${length} bytes`).to.equal('EBADMSG')
      expect(error?.message, `${length} bytes`).to.match(/truncated: the compressed data ends too early$/)
    }
  })

  it('takes no damaged byte for content: all but a few are found, and those change nothing', async () => {
    let harmless = 0
    for (let at = 0; at < frame.length; at++) {
      const damaged = flipped(frame, at)
      const error = await failure(damaged)
      if (error) expect(error.code, `byte ${at}`).to.be.oneOf(['EBADMSG', 'ENOTSUP'])
      else harmless++
      if (!error) expect((await decoded(damaged)).equals(text), `byte ${at}`).to.equal(true)
    }
    // Such as the one that says how much memory the frame wants.
    expect(harmless).to.be.below(frame.length / 50)
  })

  it('refuses a block that is too long', async () => {
    const damaged = Buffer.from(frame)
    // The size of the first block, after the magic, the flags and the size of the window.
    damaged[8] = 0xff
    expect(await failure(damaged)).to.include({
      code: 'EBADMSG',
      message: 'x.tar.zst: damaged compressed data: a block is too long',
    })
  })

  it('refuses what follows a frame and is no other one', async () => {
    const error = await failure(Buffer.concat([frame, Buffer.from('and more, that is no frame')]))
    expect(error?.message).to.match(new RegExp(`damaged compressed data: no frame at compressed byte ${frame.length}$`))
  })
})
