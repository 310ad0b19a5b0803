/** Which files may start programs, and how. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
const FILES = new Map(globSync('**/*.ts', { cwd: SRC }).map((name) => [name, readFileSync(join(SRC, name), 'utf8')]))

const filesWith = (pattern: RegExp) => [...FILES].filter(([, text]) => pattern.test(text)).map(([name]) => name)

/** What would give text to a shell, or look for a program in the current directory. */
const LOOSE = [
  /\bshell:/,
  /\bexecSync\b|\{[^}]*\bexec\b[^}]*\} (?:from|=)[^\n]*child_process/,
  /\b(?:spawn|spawnSync|execFile|execFileSync)\)?\(\s*['"`]/,
]

describe('programs that are started', () => {
  it('are told from strings and shells', () => {
    const loose = [
      "spawn('sync', [])",
      'spawnSync("x")',
      'promisify(execFile)(`x`)',
      'spawn(x, { shell: true })',
      'execSync(x)',
    ]
    for (const text of [...loose, "import { exec } from 'node:child_process'"]) {
      expect(
        LOOSE.some((pattern) => pattern.test(text)),
        text,
      ).to.equal(true)
    }
    expect(LOOSE.some((pattern) => pattern.test('spawn(program, [])'))).to.equal(false)
  })

  it('are started in these files only', () => {
    expect(FILES.size).to.be.greaterThan(300)
    expect(filesWith(/child_process/)).to.have.members([
      'archive/filters/bzip2/encode.ts',
      'archive/filters/program.ts',
      'archive/formats/directory/sink.ts',
      'cli/users.ts',
      'content/files/writer.ts',
      'flux/connect-ssh.ts',
    ])
  })

  it('are given by their paths, and their arguments as a list, to no shell', () => {
    const starting = filesWith(/child_process/)
    const isLoose = (name: string) => LOOSE.some((pattern) => pattern.test(FILES.get(name) as string))
    expect(starting.filter(isLoose)).to.deep.equal([])
    // Its script has names of signals in it and nothing else: see `ignoring` there.
    expect(filesWith(/\/bin\/(?:ba)?sh\b.*-c/)).to.deep.equal(['flux/connect-ssh.ts'])
  })
})
