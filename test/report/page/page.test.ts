/** The page of a report, in a real browser. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { count, hours, percent, size } from '../../../src/report/figures.ts'
import type { ReportData } from '../../../src/report/report-data.ts'
import { openReport, startBrowser } from '../../support/browser.ts'
import { has, run } from '../../support/processes.ts'
import { comparedReport, emptyReport, sampleReport } from '../../support/report-sample.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Problems of accessibility, a line each. */
async function problems(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => id + ' ' + target + ' ' + failureSummary)))`)
}

/** Cells of a table by row, with the first column. */
async function cells(page: Page, figure: string): Promise<string[][]> {
  return await page.evaluate<string[][]>(
    `[...document.querySelectorAll('#${figure} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
  )
}

/** What marks of a chart are called by screen readers. */
async function marks(page: Page, chart: string): Promise<string[]> {
  return await page.evaluate<string[]>(
    `[...document.querySelectorAll('[data-chart="${chart}"] [data-mark]')].map((mark) => mark.getAttribute('aria-label'))`,
  )
}

const crumbs = (page: Page) => page.locator('.crumbs li').allTextContents()

const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

/** Labels that the edge of their picture cuts. */
const cutLabels = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.plot text')].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()]
    // Letters such as J hang over a little.
    return inner.left < outer.left - 3 || inner.right > outer.right + 3
  }).map((text) => text.closest('figure').id + ': ' + text.textContent)`)

/** Sections with figures whose last one in a line leaves room at its right. */
const halfLines = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.figures')].filter((all) => {
    const figures = [...all.children].map((each) => each.getBoundingClientRect())
    return figures.some(({ top, right }, i) => (figures[i + 1] === undefined || figures[i + 1].top > top) &&
      all.getBoundingClientRect().right - right > 2)
  }).map((all) => all.closest('section').id)`)

/** Tables of two snapshots of which a column is out of sight. */
const cutComparisons = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('[id$="-then-and-now"]')].filter((figure) =>
    [...figure.querySelectorAll('.scroll')].some((each) => each.scrollWidth > each.clientWidth)).map(({ id }) => id)`)

const background = (page: Page) => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

/** A report in which each name, but those that programs give, is a hostile one. */
function withNames<T>(value: T, name: string, property = ''): T {
  if (typeof value === 'string') return (['unit', 'state', 'level', 'kind'].includes(property) ? value : name) as T
  if (Array.isArray(value)) return value.map((each) => withNames(each, name, property)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withNames(member, name, key)])) as T
}

if (has('chromium')) {
  describe('the page of a report', () => {
    let browser: Browser
    before(async () => {
      browser = await startBrowser()
    })
    after(() => browser.close())
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close()
    })

    it('opens from its file without a network, asks for nothing, and draws each picture', async () => {
      const { page, complaints } = await openReport(browser, comparedReport())
      const charts = await page.locator('[data-chart]').count()
      expect(charts).to.be.greaterThan(15)
      expect(await page.locator('[data-chart] > svg').count()).to.equal(charts)
      expect(await page.locator('figure details, figure .behind').count()).to.be.at.least(charts)
      for (const id of ['snapshot', 'health', 'room', 'work', 'nodes', 'events', 'comparison']) {
        await page.locator(`nav a[href="#${id}"]`).click()
        expect(
          await page.evaluate(`document.getElementById('${id}').getBoundingClientRect().top < innerHeight`),
        ).to.equal(true)
      }
      expect(complaints).to.deep.equal([])
    })

    it('shows the figures of the data, in tables, tiles and the names of marks', async () => {
      const data = sampleReport()
      const { page } = await openReport(browser, data)
      const { work, room, nodes } = data
      const rows = work.periods.map(({ completed, failed, timeout, canceled, nodeHours }) => [
        ...[completed, failed, timeout, canceled].map(count),
        hours(nodeHours),
      ])
      expect((await cells(page, 'periods')).map((row) => row.slice(1))).to.deep.equal(rows)
      const columns = await marks(page, 'periods')
      expect(columns).to.have.length(work.periods.length)
      for (const [i, { completed, failed }] of work.periods.entries()) {
        expect(columns[i])
          .to.include(`Failed ${count(failed)}`)
          .and.include(`Completed ${count(completed)}`)
      }
      expect((await cells(page, 'utilisation')).map(([, part]) => part)).to.deep.equal(
        work.periods.map(({ utilisation }) => percent(utilisation)),
      )
      for (const id of ['wait', 'runtime'] as const) {
        expect((await cells(page, id)).map(([, jobs]) => jobs)).to.deep.equal(
          work[id].bins.map((bin) => count(bin.count)),
        )
        expect(await marks(page, id)).to.have.length(work[id].bins.length)
      }
      for (const id of ['users', 'queues', 'banks', 'sizes'] as const) {
        const shown = (await cells(page, id)).map(([name, jobs, , used]) => [name, jobs, used])
        const expected = work[id].map(({ name, folded, jobCount, nodeHours }) => [
          name ?? (folded > 0 ? `${folded} others` : `no ${id.slice(0, -1)}`),
          count(jobCount),
          hours(nodeHours),
        ])
        expect(shown).to.deep.equal(expected)
      }
      expect((await cells(page, 'kinds')).map(([kind, , bytes]) => [kind, bytes])).to.deep.equal(
        room.kinds.map(({ kind, bytes }) => [kind, size(bytes)]),
      )
      expect((await cells(page, 'tree')).map(([key, bytes]) => [key, bytes])).to.deep.equal(
        room.tree.children.toSorted((a, b) => b.bytes - a.bytes).map(({ name, bytes }) => [name, size(bytes)]),
      )
      expect(await marks(page, 'spans')).to.have.length(nodes.rows.flatMap(({ spans }) => spans).length)
      expect(await cells(page, 'longest')).to.have.length(work.longest.length)
      const tiles = await page.locator('#work .tiles').textContent()
      expect(tiles)
        .to.include(`Jobs${count(work.total.jobCount)}`)
        .and.include(`Node-hours${hours(work.total.nodeHours)}`)
    })

    it('goes into the treemap and out by mouse, and its table goes along', async () => {
      const data = sampleReport()
      const { page } = await openReport(browser, data)
      const job = data.room.tree.children[0]
      expect(await crumbs(page)).to.deep.equal(['all keys'])
      await page
        .locator('[data-chart="tree"] .block')
        .first()
        .click({ position: { x: 5, y: 5 } })
      expect(await crumbs(page)).to.deep.equal(['all keys', 'job'])
      const first = job?.children.toSorted((a, b) => b.bytes - a.bytes)[0]
      expect((await cells(page, 'tree'))[0]?.slice(0, 2)).to.deep.equal([`job.${first?.name}`, size(first?.bytes ?? 0)])
      expect(await page.locator('#tree .command code').textContent()).to.equal(
        'flux-ts du --depth 1 --store /var/lib/flux job',
      )
      // An area within an area goes two levels down.
      await page.locator('[data-chart="tree"] .block g:not([data-mark])').first().click()
      expect(await crumbs(page)).to.have.length(4)
      await page.locator('.crumbs button').first().click()
      expect(await crumbs(page)).to.deep.equal(['all keys'])
    })

    it('writes a command for a shell that takes a key as it is', async () => {
      const sample = sampleReport()
      const leaf = { name: 'leaf', bytes: 10, keys: 1, folded: 0, children: [] }
      const tree = { ...leaf, name: '.', children: [{ ...leaf, name: "-x'$(y);z", children: [leaf, leaf] }] }
      const { page } = await openReport(browser, { ...sample, room: { ...sample.room, tree } })
      await page.locator('[data-chart="tree"] [data-mark]').first().focus()
      await page.keyboard.press('Enter')
      const command = await page.locator('#tree .command code').textContent()
      expect(command).to.equal("flux-ts du --depth 1 --store /var/lib/flux -- '-x'\\''$(y);z'")
      const words = run('sh', ['-c', `printf '%s\\n' ${command}`])
        .toString()
        .split('\n')
      expect(words).to.deep.equal(['flux-ts', 'du', '--depth', '1', '--store', '/var/lib/flux', '--', "-x'$(y);z", ''])
    })

    it('goes into the treemap and out by keyboard, says where it is, and is one stop of the tab key', async () => {
      const { page } = await openReport(browser, sampleReport())
      const tree = page.locator('[data-chart="tree"]')
      expect(await tree.locator('[data-mark][tabindex="0"]').count()).to.equal(1)
      await tree.locator('[data-mark][tabindex="0"]').focus()
      await page.keyboard.press('ArrowRight')
      const focused = () => page.evaluate<string>('document.activeElement.getAttribute("aria-label")')
      expect(await focused()).to.match(/^config, Size /)
      await page.keyboard.press('Home')
      expect(await focused()).to.match(/^job, Size /)
      await page.keyboard.press('Enter')
      expect(await crumbs(page)).to.deep.equal(['all keys', 'job'])
      expect(await focused()).to.match(/^job\.0.3f, Size /)
      expect(await page.locator('#tree [role="status"]').textContent()).to.match(/^job: .* keys$/)
      await page.keyboard.press('Enter')
      expect(await crumbs(page)).to.have.length(3)
      await page.keyboard.press('Escape')
      await page.keyboard.press('Backspace')
      expect(await crumbs(page)).to.deep.equal(['all keys'])
    })

    it('tells what a mark stands for to the pointer and to the keyboard', async () => {
      const data = sampleReport()
      const { page } = await openReport(browser, data)
      const tip = page.locator('.tip')
      const column = page.locator('[data-chart="periods"] [data-mark]').nth(2)
      await column.hover()
      expect(await tip.textContent()).to.include(`Failed${count(data.work.periods[2]?.failed ?? -1)}`)
      await page.keyboard.press('Escape')
      expect(await tip.isVisible()).to.equal(false)
      await page.locator('[data-chart="users"] [data-mark]').first().focus()
      await page.keyboard.press('ArrowDown')
      expect(await tip.isVisible()).to.equal(true)
      expect(await tip.textContent()).to.match(/^bob/)
      // It stays with its mark when the page scrolls, as to a mark that was out of sight.
      const apart = () =>
        page.evaluate<number>(`Math.round(document.querySelector('.tip').getBoundingClientRect().top -
        document.activeElement.getBoundingClientRect().top)`)
      const before = await apart()
      const scrolled = page.evaluate(
        "new Promise((resolve) => document.addEventListener('scrollend', resolve, { once: true }))",
      )
      await page.evaluate('scrollBy(0, 60)')
      await scrolled
      expect(await tip.isVisible()).to.equal(true)
      expect(await apart()).to.equal(before)
    })

    it('shows times in the zone of the reader, with UTC beside them', async () => {
      const data = sampleReport()
      const { page } = await openReport(browser, data, { timezoneId: 'Asia/Kolkata' })
      const taken = await page.locator('.taken time').textContent()
      const utc = new Date((data.snapshot.timestamp ?? 0) * 1000).toISOString()
      expect(taken).to.equal(`${utc.slice(0, 10)} 05:30:00 GMT+5:30 (00:00:00 UTC)`)
      expect(await page.locator('.zone').textContent()).to.match(/^Times are those of Asia\/(Kolkata|Calcutta)/)
      const inUtc = await openReport(browser, data, { timezoneId: 'UTC' })
      expect(await inUtc.page.locator('.zone').textContent()).to.equal('Times are UTC.')
    })

    it('has no problem of accessibility, light or dark, by preference and by its switch', async () => {
      const light = await openReport(browser, comparedReport(), { colorScheme: 'light' })
      await light.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
      expect(await problems(light.page)).to.deep.equal([])
      const white = await background(light.page)
      await light.page.locator('#theme').selectOption('dark')
      const black = await background(light.page)
      expect(black).not.to.equal(white)
      await light.page.reload()
      expect(await background(light.page)).to.equal(black)
      const dark = await openReport(browser, comparedReport(), { colorScheme: 'dark' })
      expect(await background(dark.page)).to.equal(black)
      await dark.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
      expect(await problems(dark.page)).to.deep.equal([])
      await dark.page.locator('#theme').selectOption('light')
      expect(await background(dark.page)).to.equal(white)
    })

    it('fits a telephone, a large screen and paper, on which it is light', async () => {
      const { page, complaints } = await openReport(browser, comparedReport(), { colorScheme: 'dark' })
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
      const drawn = (width: number) =>
        page.waitForFunction(`[...document.querySelectorAll('.plot')].every((plot) =>
          plot.clientWidth <= ${width} && Math.abs(plot.firstElementChild.getBoundingClientRect().width - plot.clientWidth) < 2)`)
      for (const width of [360, 1280, 3840]) {
        await page.setViewportSize({ width, height: 800 })
        await drawn(width)
        expect(await overflow(page), `${width} pixels`).to.equal(0)
        expect(await cutLabels(page), `${width} pixels`).to.deep.equal([])
        expect(await halfLines(page), `${width} pixels`).to.deep.equal([])
        expect(await cutComparisons(page), `${width} pixels`).to.deep.equal([])
      }
      await page.setViewportSize({ width: 690, height: 980 })
      await page.emulateMedia({ media: 'print' })
      // A picture stays with its title, whatever is in the table that is closed.
      const breaks = (figure: string) =>
        page.evaluate<string>(`getComputedStyle(document.getElementById('${figure}')).breakInside`)
      expect(await breaks('users')).to.equal('auto')
      await page.evaluate("document.querySelector('#users details').open = false")
      expect(await breaks('users')).to.equal('avoid')
      expect(await overflow(page), 'paper').to.be.at.most(0)
      expect(await page.locator('header').isVisible()).to.equal(false)
      expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).color")).to.equal('rgb(26, 32, 38)')
      expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).to.equal('%PDF-')
      expect(complaints).to.deep.equal([])
    })

    it('shows all tables without a script', async () => {
      const data = sampleReport()
      const { page } = await openReport(browser, data, { javaScriptEnabled: false })
      expect(await page.locator('[data-chart]').first().isVisible()).to.equal(false)
      await page.locator('#users summary').click()
      expect(await page.locator('#users tbody').innerText()).to.include('alice')
      expect(await page.locator('#periods tbody tr').count()).to.equal(data.work.periods.length)
    })

    it('says so where there is nothing, and draws one job, one node and one checkpoint', async () => {
      const empty = await openReport(browser, emptyReport())
      expect(await empty.page.locator('.nothing').count()).to.equal(5)
      expect(await problems(empty.page)).to.deep.equal([])
      expect(empty.complaints).to.deep.equal([])
      const sample = sampleReport({ periods: 1, treeNodes: 1, nodeRows: 1 })
      const few: ReportData = {
        ...sample,
        health: { ...sample.health, checkpoints: sample.health.checkpoints.slice(0, 1) },
        events: { list: sample.events.list.slice(0, 1), left: 0 },
        work: { ...sample.work, users: sample.work.users.slice(0, 1), wait: { bins: [], median: null, p95: null } },
      }
      const one = await openReport(browser, few)
      expect(await one.page.evaluate("document.querySelector('main').innerHTML.includes('NaN')")).to.equal(false)
      expect(await marks(one.page, 'periods')).to.have.length(1)
      expect(await problems(one.page)).to.deep.equal([])
      expect(one.complaints).to.deep.equal([])
    })

    it('folds thousands of nodes, directories and periods', async () => {
      const data = sampleReport({ periods: 200, treeNodes: 1500, nodeRows: 4096 })
      const { page, complaints } = await openReport(browser, data)
      expect(await marks(page, 'periods')).to.have.length(200)
      expect(await marks(page, 'spans')).to.have.length(60)
      await page.locator('.more').click()
      expect(await marks(page, 'spans')).to.have.length(660)
      expect(await page.locator('#spans h3').textContent()).to.include('4,103 of 4,110 nodes')
      expect(await overflow(page)).to.equal(0)
      expect(complaints).to.deep.equal([])
    })

    const HOSTILE = {
      'a script': '</script><script>window.__pwned = 1; alert(1)</script>',
      'an event handler': '"\'><img src=x onerror="window.__pwned = 1"><svg/onload=window.__pwned=1>',
      'an entity': '&lt;script&gt;window.__pwned=1&lt;/script&gt;&#60;b&#62;',
      'a comment and a style': '<!-- --!> ]]> </style><style>*{display:none}</style><!--<script>',
      'a link': 'javascript:window.__pwned=1',
      'controls of direction': 'a\u202egnp.exe\u2066\u200f\u0000\u001b[31m\ud800',
      'a megabyte': `${'<b>'.repeat(350_000)}end`,
    }
    for (const [what, name] of Object.entries(HOSTILE)) {
      it(`takes names that are ${what} for text`, async () => {
        const { page, complaints } = await openReport(browser, withNames(comparedReport(), name), {
          javaScriptEnabled: true,
        })
        await page
          .locator('[data-chart="tree"] .block')
          .first()
          .click({ position: { x: 5, y: 5 } })
        await page.locator('[data-chart="users"] [data-mark]').first().hover()
        expect(await page.evaluate('window.__pwned')).to.equal(undefined)
        const known =
          'html head meta title style body a header nav ul li div label select option main p h1 bdi section h2 dl dt dd '
        const more =
          'code time small details summary table caption thead tbody tr th td figure figcaption h3 strong span ol button footer script'
        const strange = `[...document.querySelectorAll('*')].filter((each) => !each.closest('svg') &&
          !'${known}${more}'.split(' ').includes(each.localName)).map((each) => each.outerHTML)`
        expect(await page.evaluate(strange)).to.deep.equal([])
        const handlers = `[...document.querySelectorAll('*')].flatMap((each) => [...each.attributes])
          .filter(({ name, value }) => name.startsWith('on') || name === 'srcdoc' || name === 'src' ||
            (name === 'href' && !value.startsWith('#')) ).map(({ name, value }) => name + '=' + value)`
        expect(await page.evaluate(handlers)).to.deep.equal([])
        expect(await page.locator('script').count()).to.equal(2)
        const text = await page.locator('h1').textContent()
        if (what === 'a megabyte') expect(text).to.match(/^<b>.* … \(1,050,003 characters\) … .*end$/)
        else if (what === 'controls of direction')
          expect(text).to.equal('a\\u202egnp.exe\\u2066\\u200f\\x00\\x1b[31m\\ud800')
        else expect(text).to.equal(name)
        expect(await page.evaluate("document.body.textContent.includes('\\u202e')")).to.equal(false)
        expect(await overflow(page)).to.equal(0)
        expect(complaints).to.deep.equal([])
      })
    }

    it('has a policy that runs no other script and takes no other style', async () => {
      const { page, complaints } = await openReport(browser, sampleReport())
      await page.evaluate(`(() => {
        const script = document.createElement('script')
        script.textContent = 'window.__pwned = 1'
        const style = document.createElement('style')
        style.textContent = 'body { display: none }'
        const image = document.createElement('img')
        image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='
        document.body.append(script, style, image)
        document.body.setAttribute('onclick', 'window.__pwned = 1')
        document.body.click()
      })()`)
      expect(await page.evaluate('window.__pwned')).to.equal(undefined)
      expect(await page.locator('h1').isVisible()).to.equal(true)
      expect(complaints.filter((line) => /Content Security Policy/.test(line))).to.have.length.at.least(3)
    })
  })
}
