/** What holds for every command that there is, by whomever it was written. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, settings } from '@oclif/core'
import { expect } from 'chai'
import { manualPages } from '../../src/cli/manual/pages.ts'
import { sourcePackageJson } from '../../tools/source-package-json.js'
import { fluxTs, run } from '../support/processes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
settings.enableAutoTranspile = false
const config = await Config.load({ root, pjson: sourcePackageJson(root), ignoreManifest: true })
const commands = config.commands.filter(
  ({ pluginName, id, hidden, hiddenAliases }) => pluginName === 'flux-ts' && !hidden && !hiddenAliases.includes(id),
)

describe('every command', () => {
  it('is found', () => {
    expect(commands.map(({ id }) => id)).to.include.members(['dump', 'restore', 'completion'])
  })

  for (const cached of commands) {
    const { id } = cached

    it(`${id} says what it is for, and how it is used`, () => {
      const { summary, description, examples } = cached
      expect(summary).to.match(/^[A-Z].*[^.]$/)
      expect(description).to.be.a('string').and.not.equal(summary)
      expect(examples).not.to.be.empty
    })

    it(`${id} has flags with a summary, in a group`, () => {
      for (const { name, summary, helpGroup } of Object.values(cached.flags)) {
        expect(summary, name).to.match(/^[a-z].*[^.]$/)
        expect(helpGroup, name).to.match(/^[A-Z]+$/)
      }
      expect(cached.flags).to.include.keys('help', 'json')
    })

    it(`${id} says what its arguments are`, () => {
      for (const [name, arg] of Object.entries(cached.args)) expect(arg.description, name).to.be.a('string')
    })

    if (Object.values(cached.args).some(({ required }) => required)) {
      it(`${id} takes no argument from standard input`, () => {
        const { status, stdout, stderr } = fluxTs(id.split(':'), { input: 'word' })
        expect(status, stderr).to.equal(2)
        expect(stderr).to.match(/missing/i)
        expect(stdout.toString()).to.equal('')
      })
    }

    it(`${id} is reached under flux too, where a host has its own`, () => {
      expect(cached.hiddenAliases).to.include(`flux:${id}`)
    })
  }
})

describe('manual pages', () => {
  const pages = manualPages(config, '2026-01-31')

  it('are there for every command, and for the tool', () => {
    const names = commands.map((cached) => `flux-ts-${cached.id.replaceAll(':', '-')}.1`)
    expect([...pages.keys()].sort()).to.deep.equal(['flux-ts.1', ...names].sort())
    // npm installs those that are listed; `npm run man` lists them.
    const { man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(man).to.deep.equal([...pages.keys()].sort().map((name) => `./man/${name}`))
  })

  for (const [name, text] of pages) {
    it(`${name} is well formed, as groff and mandoc see it`, () => {
      expect(run('groff', ['-man', '-ww', '-z', '-'], Buffer.from(text)).toString()).to.equal('')
      // It fails on warnings, and says what they are.
      run('mandoc', ['-T', 'lint', '-W', 'warning'], Buffer.from(text))
    })
  }

  for (const cached of commands) {
    it(`show all of ${cached.id}`, () => {
      const text = pages.get(`flux-ts-${cached.id.replaceAll(':', '-')}.1`) as string
      const overstruck = run('mandoc', ['-T', 'ascii', '-O', 'width=300'], Buffer.from(text)).toString()
      const shown = overstruck
        .split('\b')
        .map((part, i, all) => (i < all.length - 1 ? part.slice(0, -1) : part))
        .join('')
      for (const { name, type, char, hidden } of Object.values(cached.flags)) {
        if (hidden) continue
        expect(shown).to.match(
          new RegExp(`^ +${char ? `-${char}, ` : ''}--(\\[no-\\])?${name}${type === 'option' ? '=' : '\\b'}`, 'm'),
        )
      }
      for (const example of cached.examples as { command: string }[]) {
        const line = example.command
          .replaceAll('<%= config.bin %>', 'flux-ts')
          .replaceAll('<%= command.id %>', cached.id.replaceAll(':', ' '))
        // As it is typed: no quote or hyphen that has turned into another sign.
        expect(shown).to.include(` ${line}\n`)
      }
    })
  }
})
