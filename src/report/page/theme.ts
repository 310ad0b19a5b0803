/** The switch between light and dark. Without a choice, the preference of the system holds. */
import { html } from './dom.ts'

const CHOICES = [
  ['auto', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const
const KEY = 'flux-ts-report-theme'

/** Put the switch in its place. */
export function mountThemeSwitch(place: HTMLElement): void {
  const select = html('select', { id: 'theme' }, ...CHOICES.map(([value, text]) => html('option', { value }, text)))
  const choose = (theme: string) => {
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme
  }
  select.addEventListener('change', () => {
    choose(select.value)
    try {
      localStorage.setItem(KEY, select.value)
    } catch {
      // Some browsers keep nothing for files.
    }
  })
  try {
    select.value = localStorage.getItem(KEY) ?? 'auto'
  } catch {
    select.value = 'auto'
  }
  if (select.value === '') select.value = 'auto'
  choose(select.value)
  place.append(html('label', { for: 'theme' }, 'Theme'), select)
}
