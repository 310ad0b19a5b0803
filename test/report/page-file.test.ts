/** The file of a report: what is in it, and how large it is. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { renderPage } from '../../src/report/page-file.ts'
import type { ReportData } from '../../src/report/report-data.ts'
import { emptyReport, sampleReport } from '../support/report-sample.ts'

const text = async (data: ReportData) => Buffer.from(await renderPage(data)).toString()

describe('the file of a report', () => {
  it('has a policy with the hashes of its script and its style, which allows nothing else', async () => {
    const html = await text(sampleReport())
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]?.replaceAll('&#39;', "'")
    const hash = (part: string | undefined) =>
      createHash('sha256')
        .update(part ?? '')
        .digest('base64')
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1]
    const script = /<script>(.*?)<\/script>/s.exec(html)?.[1]
    expect(policy).to.equal(
      `default-src 'none'; script-src 'sha256-${hash(script)}'; style-src 'sha256-${hash(style)}'; base-uri 'none'; form-action 'none'`,
    )
    // In front of all that it is to hold for.
    expect(html.indexOf('Content-Security-Policy')).to.be.lessThan(html.indexOf('<title>'))
  })

  it('holds its data, of which no name ends the element', async () => {
    const sample = sampleReport()
    const name = '</script><!--<script>\u2028'
    const html = await text({ ...sample, snapshot: { ...sample.snapshot, source: name } })
    const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
    expect(json).not.to.match(/[<>\u2028]/)
    const shown: ReportData = JSON.parse(json)
    expect(shown.snapshot.source).to.equal('</script><!--<script>\\u2028')
    expect(shown.work).to.deep.equal(sample.work)
    expect(html.match(/<script/g)).to.have.length(2)
  })

  it('has the whole of every command line, however long the path in it is', async () => {
    const sample = sampleReport()
    const path = `/scratch/${'a-directory/'.repeat(40)}statedir`
    const finding = { level: 'bad', text: path, command: `flux-ts fsck --store ${path}` } as const
    const html = await text({
      ...sample,
      snapshot: { ...sample.snapshot, arguments: { store: `--store ${path}`, root: '', source: path } },
      health: { ...sample.health, findings: [finding] },
    })
    expect(html).to.include(`flux-ts fsck --store ${path}<`)
    expect(html).to.include(`flux-ts content stats --reachable --store ${path}<`)
    expect(html).to.include(`"arguments":{"store":"--store ${path}"`)
    // Any other text is cut.
    expect(html).not.to.include(`"text":"${path}"`)
  })

  it('names nothing outside: no address, and no file', async () => {
    const html = await text(emptyReport())
    const outside = [
      ...html.matchAll(/\b(?:https?:)?\/\/[\w.-]+\.\w+[^\s"'<)]*|url\((?!"?#)[^)]*\)|@import|<link/g),
    ].map(String)
    // It is the name of a namespace, which nobody asks for.
    expect(new Set(outside)).to.deep.equal(new Set(['http://www.w3.org/2000/svg']))
  })

  it('is small, whatever it tells of', async () => {
    expect((await renderPage(emptyReport())).length).to.be.lessThan(100_000)
    const much = sampleReport({ periods: 200, treeNodes: 1500, nodeRows: 4096 })
    expect((await renderPage(much)).length).to.be.lessThan(1_000_000)
  })

  it('has the licenses of the libraries in its script', async () => {
    const html = await text(emptyReport())
    for (const library of ['d3-hierarchy', 'd3-time', 'd3-array']) expect(html).to.match(new RegExp(`${library} \\d`))
    expect(html).to.include('Permission to use, copy, modify, and/or distribute this software')
  })
})
