/** Which files may open databases and print: the others go through them, and cannot forget what they see to. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
const FILES = new Map(globSync('**/*.ts', { cwd: SRC }).map((name) => [name, readFileSync(join(SRC, name), 'utf8')]))

const filesWith = (pattern: RegExp) => [...FILES].filter(([, text]) => pattern.test(text)).map(([name]) => name)

describe('doors', () => {
  it('to databases see to it that no schema is trusted; others open only what they have made', () => {
    expect(FILES.size).to.be.greaterThan(300)
    const opening = filesWith(/new DatabaseSync\(/)
    const safe = opening.filter((name) => {
      const text = FILES.get(name) as string
      return text.includes('defensive: true') && text.includes("exec('PRAGMA trusted_schema = OFF")
    })
    expect(safe).to.have.members(['content/sqlite/open-database.ts', 'export/formats/sqlite/history.ts'])
    const ours = [
      'content/sqlite/hash-index.ts',
      'export/formats/parquet/days-writer.ts',
      'export/formats/sqlite/writer.ts',
    ]
    expect(opening).to.have.members([...safe, ...ours])
  })

  it('to a second database take its name as a value', () => {
    expect(filesWith(/\bATTACH\b/)).to.deep.equal(['content/sqlite/copier.ts'])
    expect(FILES.get('content/sqlite/copier.ts')).to.match(/prepare\('ATTACH \? AS copy'\)/)
  })

  it('to the terminal escape what they print, or print what has been escaped', () => {
    expect(filesWith(/\bconsole\.\w+\(/)).to.deep.equal([])
    expect(filesWith(/process\.(?:stdout|stderr)\.write\(|\bwriteSync\([12],/)).to.have.members([
      'cli/completion/answer.ts',
      'cli/flux-command.ts',
      'cli/manual/help.ts',
      'cli/output.ts',
      'cli/task-list.ts',
      'commands/dump.ts',
      'commands/restore.ts',
      'hooks/command_not_found/suggest.ts',
      'hooks/init/check-runtime.ts',
      'hooks/init/closed-output.ts',
    ])
  })

  it('to temporary files are those of src/files', () => {
    expect(filesWith(/\bmkdtemp|\btmpName|Math\.random/)).to.deep.equal([])
    expect(filesWith(/O_TMPFILE|partName\(/)).to.have.members([
      'files/part-file.ts',
      'files/part-name.ts',
      'files/temporary.ts',
    ])
  })
})
