import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { shellWord } from '../../src/errors/index.ts'

describe('errors shellWord', () => {
  it('is one word of a shell, with the same text', () => {
    const words = ['', 'a b', "it's", '$HOME', '`id`', '\\', '"', '*', '~', 'a\nb', ';', "'", 'ü', '#x', '!', '=a']
    const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
    const output = execFileSync('/bin/sh', ['-c', script]).toString()
    expect(output.split('\0').slice(0, -1)).to.deep.equal(words)
  })

  it('leaves a plain word as it is', () => {
    for (const word of ['/var/lib/flux', 'content.sqlite', 'user@host:1', '50%', 'a+b=c,d', '-']) {
      expect(shellWord(word)).to.equal(word)
    }
  })
})
