/** What commands print with `--json`, held against the schemas in docs/json/. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, settings } from '@oclif/core'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { sourcePackageJson } from '../tools/source-package-json.js'
import { fixture } from './support/fixtures.ts'
import { runInProcess } from './support/in-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const schemas = new Map<string, Record<string, unknown>>()
for (const file of readdirSync(join(root, 'docs/json')).filter((name) => name.endsWith('.schema.json'))) {
  schemas.set(file.replace('.schema.json', ''), JSON.parse(readFileSync(join(root, 'docs/json', file), 'utf8')))
}
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, schemas: [...schemas.values()] })

function validatorOf(name: string): ValidateFunction {
  const validate = ajv.getSchema(`${name}.schema.json`)
  if (!validate) throw new Error(`there is no schema ${name}`)
  return validate
}

function assertValid(name: string, text: string): void {
  const validate = validatorOf(name)
  expect(validate(JSON.parse(text)), `${name}: ${ajv.errorsText(validate.errors)}\n${text.slice(0, 2000)}`).to.equal(
    true,
  )
}

const STATEDIR = join(root, 'examples/statedir')
const BASIC = fixture('basic')
const DAMAGED = fixture('damaged-dangling')

/** A root of the statedir that no checkpoint names. */
const OLDER_ROOT = 'sha1-e7c8edbbde7a0cbf56ea1ce5987e037e3d6efe82'

/** Commands, and what they are run with; the first word group names the schema. */
const RUNS: readonly (readonly [schema: string, args: string])[] = [
  ['dump', `dump --store ${BASIC} --checksum TMP/a.tgz`],
  ['dump', `dump --store ${DAMAGED} --ignore-failed-read TMP/b/`],
  ['restore', `restore --dry-run ${fixture('basic', 'dump.tar')}`],
  ['archive-info', `archive info ${fixture('basic', 'dump.tar')}`],
  ['archive-info', 'archive info TMP/b/'],
  ['archive-info', 'archive info TMP/a.tgz'],
  ['archive-verify', 'archive verify TMP/a.tgz'],
  ['archive-verify', `archive verify --store ${BASIC} TMP/a.tgz`],
  ['fsck', `fsck --store ${BASIC}`],
  ['fsck', `fsck --all --store ${DAMAGED}`],
  ['du', `du --store ${BASIC}`],
  ['du', `du --kinds --store ${BASIC}`],
  ['diff', `diff --store ${fixture('checkpoints')} @0 @1`],
  ['diff', `diff --stat --store ${fixture('checkpoints')} @0 @1`],
  ['diff', `diff --content --store ${fixture('checkpoints')} @0 @1`],
  ['content-stats', `content stats --store ${BASIC}`],
  ['content-stats', `content stats --reachable --store ${STATEDIR}`],
  ['content-compact', `content compact --store ${STATEDIR} TMP/compact.sqlite`],
  ['content-compact', `content compact --dry-run --store ${fixture('checkpoints')}`],
  ['content-validate', `content validate --store ${BASIC}`],
  ['content-load', `content load --store ${BASIC} sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91`],
  ['content-checkpoint-list', `content checkpoint list --store ${fixture('checkpoints')}`],
  ['content-roots', `content roots --store ${STATEDIR}`],
  ['content-roots', `content roots --all --store ${DAMAGED}`],
  ['content-checkpoint-update', `content checkpoint update --store TMP/state ${OLDER_ROOT}`],
  ['rescue', `rescue --store ${STATEDIR} --out TMP/rescued`],
  ['rescue', `rescue --store ${DAMAGED} --out TMP/rescued-damaged`],
  ['kvs-ls', `kvs ls -R --store ${BASIC}`],
  ['kvs-dir', `kvs dir -R --store ${BASIC}`],
  ['kvs-get', `kvs get --store ${STATEDIR} resource.R`],
  ['kvs-get', `kvs get --treeobj --store ${STATEDIR} resource.eventlog`],
  ['kvs-readlink', `kvs readlink --store ${BASIC} links.abs`],
  ['kvs-getroot', `kvs getroot --store ${BASIC}`],
  ['kvs-version', `kvs version --store ${BASIC}`],
  ['kvs-eventlog-get', `kvs eventlog get --store ${STATEDIR} resource.eventlog`],
  ['kvs-eventlog-wait-event', `kvs eventlog wait-event --store ${STATEDIR} resource.eventlog resource-define`],
  ['jobs', `jobs --store ${STATEDIR}`],
  ['jobs', `jobs --store ${fixture('jobs')}`],
  ['jobs', `jobs --store ${fixture('jobs')} f239Rs6P`],
  ['jobs-export', `jobs export --store ${STATEDIR} TMP/jobs.csv`],
  ['jobs-export', `jobs export --append --store ${STATEDIR} TMP/jobs.sqlite`],
  ['jobs-stats', `jobs stats --store ${STATEDIR}`],
  ['jobs-stats', `jobs stats --by day,node --store ${fixture('jobs')}`],
  ['job-get', `job get --store ${STATEDIR} f2CCFUrT`],
  ['job-get', `job get --store ${fixture('jobs')} f239Rs6P`],
  ['job-get', `job get --store ${fixture('jobs')} --record R f239Rs6P`],
  ['report', `report ${STATEDIR}`],
  ['report', `report ${fixture('jobs')} --redact`],
  ['report', `report ${DAMAGED}`],
  ['report', `report --store ${fixture('checkpoints')} @0 --compare @1`],
  ['report', `report ${fixture('basic', 'dump.tar')}`],
  ['completion', 'completion bash'],
]

describe('--json', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'flux-ts-json-'))
    cpSync(STATEDIR, join(dir, 'state'), { recursive: true })
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  for (const [schema, args] of RUNS) {
    it(`of ${args.replaceAll(root, '').replace(' TMP/', ' ')} is as docs/json says`, async () => {
      const { stdout, stderr } = await runInProcess([...args.replaceAll('TMP', dir).split(' '), '--json'])
      expect(stdout.toString(), stderr).to.not.equal('')
      assertValid(schema, stdout.toString())
    })
  }

  it('of an error, and of wrong usage, is as docs/json says', async () => {
    for (const args of ['kvs get --store /nonexistent a', `kvs get --store ${BASIC} nosuch`, 'dump --bogus', 'dump']) {
      const { status, stdout } = await runInProcess([...args.split(' '), '--json'])
      expect(status, args).to.be.greaterThan(0)
      assertValid('error', stdout.toString())
    }
  })

  it('has a schema for each command, and no other', async () => {
    settings.enableAutoTranspile = false
    const { commands } = await Config.load({ root, pjson: sourcePackageJson(root), ignoreManifest: true })
    const names = commands
      .filter(
        ({ pluginName, id, hidden, hiddenAliases }) =>
          pluginName === 'flux-ts' && !hidden && !hiddenAliases.includes(id),
      )
      .map(({ id }) => id.replaceAll(':', '-'))
    expect([...schemas.keys()].sort()).to.deep.equal([...names, 'error', 'terms'].sort())
  })
})

describe('the schemas', () => {
  /** All properties of a schema, wherever they stand. */
  function* propertiesOf(schema: unknown): Generator<[name: string, schema: Record<string, unknown>]> {
    if (typeof schema !== 'object' || schema === null) return
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === 'properties') yield* Object.entries(value as Record<string, Record<string, unknown>>)
      yield* propertiesOf(value)
    }
  }
  /** `jobs` has Flux's own vocabulary, which is not ours to change; `report` has that of its page. */
  const OURS = [...schemas].filter(([name]) => name !== 'jobs' && name !== 'report')

  it('say of each name what it means', () => {
    for (const [name, schema] of OURS) {
      for (const [property, { $ref, description, const: only, enum: some }] of propertiesOf(schema)) {
        expect($ref ?? description ?? only ?? some, `${name}: ${property}`).to.not.equal(undefined)
      }
    }
  })

  it('use a name in one sense alone', () => {
    const types = new Map<string, string>()
    const terms = (schemas.get('terms') as { $defs: Record<string, Record<string, unknown>> }).$defs
    for (const [name, schema] of OURS) {
      for (const [property, { $ref, type, ...rest }] of propertiesOf(schema)) {
        const of = String($ref).startsWith('terms.schema.json')
          ? terms[String($ref).split('/').at(-1) as string]
          : undefined
        const kind = JSON.stringify(of?.type ?? type ?? ('anyOf' in rest ? 'object' : 'const'))
        // What has a value of its own, as the type of a key has, is as narrow as that.
        if (kind === '"const"') continue
        const sense = kind
          .replace('["integer","null"]', '"integer"')
          .replace('["number","null"]', '"number"')
          .replace('["string","null"]', '"string"')
        expect(types.get(property) ?? sense, `${property} in ${name}`).to.equal(sense)
        types.set(property, sense)
      }
    }
  })

  it('call numbers of things Count, numbers of bytes Bytes or size, and lists by a plural', () => {
    for (const [name, schema] of OURS) {
      for (const [property, { type }] of propertiesOf(schema)) {
        if (property.endsWith('Count') || property.endsWith('Bytes'))
          expect(type ?? 'integer', property).to.not.equal('array')
        if (type === 'array') expect(property, name).to.match(/s$|^checked$|^damaged$|^below$/)
      }
    }
  })
})
