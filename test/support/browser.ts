/** A real browser for tests of pages: Chromium without a window. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { renderPage } from '../../src/report/page-file.ts'
import type { ReportData } from '../../src/report/report-data.ts'
import { scratch } from './fixtures.ts'
import { run } from './processes.ts'

/** A page of a report, and what the browser has said about it. */
export interface OpenPage {
  readonly page: Page
  /** Messages on the console, errors, dialogs, and requests but that for the file itself. */
  readonly complaints: readonly string[]
}

/** Start Chromium. It has no sandbox where the tests run as root, as in a container. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = run('sh', ['-c', 'command -v chromium']).toString().trim()
  return await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
}

/** Open a report from its file, with the network off. */
export async function openReport(
  browser: Browser,
  data: ReportData,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const file = join(scratch(), 'report.html')
  writeFileSync(file, await renderPage(data))
  const url = pathToFileURL(file).href
  const context = await browser.newContext({
    offline: true,
    viewport: { width: 1280, height: 800 },
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack}`))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (request.url() !== url) complaints.push(`request: ${request.url().slice(0, 200)}`)
  })
  await page.goto(url)
  return { page, complaints }
}
