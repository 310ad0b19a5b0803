// Takes a picture of a report with Chromium, as for README. Usage: node tools/screenshot.js REPORT.html PICTURE.png|PAPER.pdf
// [--width 1280] [--height 800] [--whole] [--dark] [--zone Europe/Berlin] [--section ID | --at ID].
// --section shows a section alone, --at the window that begins with it. CHROMIUM names the program.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: 'string', default: '1280' },
    height: { type: 'string', default: '800' },
    whole: { type: 'boolean', default: false },
    dark: { type: 'boolean', default: false },
    zone: { type: 'string', default: 'UTC' },
    section: { type: 'string' },
    at: { type: 'string' },
  },
})
const [report, picture] = positionals
if (picture === undefined) throw new Error('usage: node tools/screenshot.js REPORT.html PICTURE.png|PAPER.pdf')
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Without a sandbox where this runs as root, as in a container.
  chromiumSandbox: process.getuid?.() !== 0,
})
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    colorScheme: values.dark ? 'dark' : 'light',
    timezoneId: values.zone,
  })
  const url = pathToFileURL(resolve(report))
  if (values.at !== undefined) url.hash = values.at
  await page.goto(url.href)
  if (picture.endsWith('.pdf')) await page.pdf({ path: picture, format: 'A4' })
  else if (values.section !== undefined) {
    // The bar at the top would lie over a section that is higher than the window.
    await page.evaluate("document.querySelector('header').style.position = 'static'")
    await page.locator(`#${values.section}`).screenshot({ path: picture })
  } else await page.screenshot({ path: picture, fullPage: values.whole })
} finally {
  await browser.close()
}
