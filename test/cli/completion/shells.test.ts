/** The completion scripts, in the shells that they are for. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { BrokerDouble } from '../../support/broker-double.ts'
import { expected, fixture } from '../../support/fixtures.ts'
import { installInto } from '../../support/hosts.ts'
import { cleanEnv, run } from '../../support/processes.ts'
import { Terminal } from '../../support/terminal.ts'
import { Blobs, val, writeSqlite } from '../../support/trees.ts'

const STATEDIR = fileURLToPath(new URL('../../../examples/statedir', import.meta.url))

/** A directory with a few files, and an environment in which `flux-ts` is the packed package. */
function workplace() {
  const cwd = mkdtempSync(join(tmpdir(), 'flux-ts-completion-'))
  const modules = join(cwd, '.cli/node_modules')
  mkdirSync(modules, { recursive: true })
  const cli = join(installInto(modules), 'bin/run.js')
  mkdirSync(join(cwd, '.bin'))
  writeFileSync(join(cwd, '.bin/flux-ts'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 })
  cpSync(STATEDIR, join(cwd, 'statedir'), { recursive: true })
  writeFileSync(join(cwd, 'nightly dump.tgz'), '')
  writeFileSync(join(cwd, 'readme'), '')
  const blobs = new Blobs()
  const root = blobs.tree({ 'a:b:c': val('x') })
  writeSqlite(join(cwd, 'colons.sqlite'), blobs, [root])
  const env = cleanEnv({
    HOME: cwd,
    PATH: `${join(cwd, '.bin')}:${process.env.PATH}`,
    TERM: 'xterm',
    LC_ALL: 'C.UTF-8',
    HISTFILE: '',
    ZDOTDIR: cwd,
    // A busy machine may take longer than a person would wait.
    FLUX_TS_COMPLETION_MS: '30000',
  })
  return { cwd, env }
}

interface Shell {
  name: string
  command: string
  /** Its start-up file, and what is in it. */
  rc: string
  lines: string[]
}

const SHELLS: Shell[] = [
  {
    name: 'bash',
    command: 'bash --rcfile .bashrc -i',
    rc: '.bashrc',
    lines: ["bind 'set show-all-if-ambiguous on'", 'source <(flux-ts completion bash)'],
  },
  {
    name: 'zsh',
    command: 'zsh -o NO_GLOBAL_RCS -i',
    rc: '.zshrc',
    lines: ['bindkey -e', 'autoload -U compinit', 'compinit -u -D', 'source <(flux-ts completion zsh)'],
  },
]

/** Start a shell with its completion loaded. */
async function start({ command, rc, lines }: Shell, { cwd, env }: ReturnType<typeof workplace>): Promise<Terminal> {
  writeFileSync(join(cwd, rc), [...lines, 'PS1="READY> "', ''].join('\n'))
  const terminal = new Terminal(command, { cwd, env, rows: 200, columns: 150 })
  await terminal.until(/READY> /)
  return terminal
}

/**
 * Type a line and Tab, and have the shell print what the line has become.
 *
 * @returns the line, and what was shown on the way to it
 */
async function complete(terminal: Terminal, line: string): Promise<{ line: string; shown: string }> {
  const before = terminal.text.length
  // To the end of the line, and to its beginning, to put it in quotes.
  terminal.type(`${line}\t\x05|"\x01echo "|\n`)
  const [, completed] = await terminal.until(/^\|(.*)\|$/m, before)
  return { line: completed as string, shown: terminal.text.slice(before) }
}

for (const shell of SHELLS) {
  describe(`completion in ${shell.name}`, () => {
    let place: ReturnType<typeof workplace>
    let terminal: Terminal
    let broker: BrokerDouble
    before(async () => {
      broker = await BrokerDouble.start({
        content: fixture('jobs', 'content.sqlite'),
        namespaces: { primary: { rootref: expected('jobs').rootref } },
      })
      place = workplace()
      terminal = await start(shell, place)
    })
    after(async () => {
      await terminal[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
      rmSync(place.cwd, { recursive: true })
    })

    const becomes = (what: string, typed: string, expected: string) => {
      it(`completes ${what}`, async () => {
        // A shell may take away again what it puts after a word.
        expect((await complete(terminal, typed)).line.replace(/[ /]$/, '')).to.equal(expected)
      })
    }

    becomes('commands', 'flux-ts rest', 'flux-ts restore')
    becomes('flags', 'flux-ts dump --forma', 'flux-ts dump --format')
    becomes(
      'flags after others',
      'flux-ts dump -v --store statedir --ignore',
      'flux-ts dump -v --store statedir --ignore-failed-read',
    )
    becomes('fixed values', 'flux-ts restore --hash sha2', 'flux-ts restore --hash sha256')
    becomes('fixed values behind =', 'flux-ts restore --hash=sha2', 'flux-ts restore --hash=sha256')
    becomes('fixed values of arguments', 'flux-ts completion fi', 'flux-ts completion fish')
    becomes('OUTFILE', 'flux-ts dump -q night', 'flux-ts dump -q nightly\\ dump.tgz')
    becomes('paths of flags', 'flux-ts dump --store state', 'flux-ts dump --store statedir')
    becomes('paths of flags behind =', 'flux-ts dump --store=state', 'flux-ts dump --store=statedir')
    becomes(
      'keys of a source',
      'flux-ts restore --store statedir --key resource.e',
      'flux-ts restore --store statedir --key resource.eventlog',
    )
    becomes(
      'directories of keys, to go on below',
      'flux-ts restore --store=statedir --key reso',
      'flux-ts restore --store=statedir --key resource.',
    )

    becomes(
      'keys as arguments, one after the other',
      'flux-ts kvs get --store statedir resource.R resource.e',
      'flux-ts kvs get --store statedir resource.R resource.eventlog',
    )

    becomes('the ids of jobs', 'flux-ts job get --store statedir ƒ2CC', 'flux-ts job get --store statedir ƒ2CCFUrT')
    becomes(
      'the ids of jobs in the form in which they begin, one after the other',
      'flux-ts jobs --store=statedir ƒ2CCFUrT 394',
      'flux-ts jobs --store=statedir ƒ2CCFUrT 39476789248',
    )

    it('lists the ids of jobs, the newest first', async () => {
      const { shown } = await complete(terminal, 'flux-ts job get --store statedir fQ8ho3')
      const at = ['fQ8ho36', 'fQ8ho35'].map((id) => shown.lastIndexOf(id))
      // bash 4.3 and older sort what they show.
      if (shell.name === 'zsh') expect(at[0]).to.be.within(0, at[1] as number)
      else expect(Math.min(...at)).to.be.greaterThan(0)
      if (shell.name === 'zsh') expect(shown).to.match(/fQ8ho36 +-- sh COMPLETED/)
    })

    for (const typed of [
      (uri: string) => `flux-ts kvs get --uri ${uri} resource.`,
      (uri: string) => `flux-ts kvs get --uri=${uri} resource.R resource.`,
      (uri: string) => `flux-ts kvs get resource.R --uri ${uri} -- resource.`,
    ]) {
      it(`completes keys of a live instance: ${typed('local:///…')}`, async () => {
        const line = typed(broker.uri)
        expect((await complete(terminal, `${line}ev`)).line.trimEnd()).to.equal(`${line}eventlog`)
      })
    }

    it('completes a key with a colon in it', async () => {
      const line = 'flux-ts kvs get --store colons.sqlite a:b'
      expect((await complete(terminal, `${line}:`)).line.trimEnd()).to.equal(`${line}:c`)
      expect((await complete(terminal, line.slice(0, -1))).line.trimEnd()).to.equal(`${line}:c`)
    })

    becomes('what is below the hidden topic', 'flux-ts flux rest', 'flux-ts flux restore')
    becomes('what is further below it', 'flux-ts flux kvs namespace li', 'flux-ts flux kvs namespace list')
    becomes('flags of commands below it', 'flux-ts flux dump --forma', 'flux-ts flux dump --format')

    it('does not offer the hidden topic', async () => {
      expect((await complete(terminal, 'flux-ts flu')).line).to.equal('flux-ts flu')
    })

    it('lists what there is', async () => {
      const { shown } = await complete(terminal, 'flux-ts restore --size-limit 1M --')
      for (const flag of ['--checkpoint', '--include', '--exclude', '--store', '--json']) expect(shown).to.include(flag)
      if (shell.name === 'zsh') expect(shown).to.include('make the snapshot the directory of this key')
    })
  })
}

describe('completion in fish', () => {
  let place: ReturnType<typeof workplace>
  before(() => {
    place = workplace()
  })
  after(() => rmSync(place.cwd, { recursive: true }))

  /** What fish offers, in its order. */
  const offers = (line: string, { descriptions = false } = {}): string[] => {
    const { cwd, env } = place
    const script = `cd '${cwd}'; flux-ts completion fish | source; complete -C '${line}'`
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const lines = run('env', ['-i', ...assignments, 'fish', '--no-config', '-c', script])
      .toString()
      .trimEnd()
    return lines.split('\n').map((text) => (descriptions ? text : (text.split('\t', 1)[0] as string)))
  }

  it('completes commands', () => expect(offers('flux-ts rest')).to.deep.equal(['restore']))
  it('completes what is below the hidden topic, which it does not offer', () => {
    expect(offers('flux-ts flux rest')).to.deep.equal(['restore'])
    expect(offers('flux-ts flux kvs namespace ')).to.deep.equal(['list'])
    expect(offers('flux-ts flux dump -v --ignore')).to.deep.equal(['--ignore-failed-read'])
    expect(offers('flux-ts flu')).to.deep.equal([''])
  })
  it('completes flags after others', () =>
    expect(offers('flux-ts dump -v --store statedir --ignore')).to.deep.equal(['--ignore-failed-read']))
  it('completes fixed values', () => expect(offers('flux-ts restore --hash sha')).to.deep.equal(['sha1', 'sha256']))
  it('completes fixed values behind =', () =>
    expect(offers('flux-ts restore --hash=sha2')).to.deep.equal(['--hash=sha256']))
  it('completes fixed values of arguments', () =>
    expect(offers('flux-ts completion ')).to.deep.equal(['bash', 'fish', 'zsh']))
  it('completes files', () => {
    expect(offers('flux-ts dump -q read')).to.deep.equal(['readme'])
    expect(offers('flux-ts dump --store state')).to.deep.equal(['statedir/'])
  })
  it('completes the ids of jobs, with what they are', () => {
    expect(offers('flux-ts job get --store statedir ƒ2')).to.deep.equal(['ƒ2CCFUrT', 'ƒ27cshQj', 'ƒ239Rs6P'])
    expect(offers('flux-ts jobs --store statedir ƒ2CCFUrT fQ8ho36 fQ8')).to.deep.equal(['fQ8ho36', 'fQ8ho35'])
    expect(offers('flux-ts job get --store statedir ƒ27', { descriptions: true })).to.deep.equal([
      'ƒ27cshQj\texit3 FAILED',
    ])
  })
  it('completes keys of a source', () =>
    expect(offers('flux-ts restore --store statedir --key resource.')).to.deep.equal([
      'resource.eventlog',
      'resource.R',
    ]))
})
