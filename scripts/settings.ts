/** Writes the README's configuration table from the settings themselves: `node --import tsx scripts/settings.ts`. */
import { readFile, writeFile } from 'node:fs/promises'
import { settingRows } from '../infra/config.ts'

const BLOCK = /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/

/** The table of every setting, in Markdown. */
function settingsTable(): string {
  const rows = settingRows.map(({ variable, default: value, unit, meaning }) => {
    const shown = value === undefined || value === '' ? '–' : `\`${value}\``
    return `| \`${variable}\` | ${shown} | ${unit || '–'} | ${meaning} |`
  })
  return ['| variable | default | unit | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** A text with its table of settings renewed. */
export const withSettings = (text: string): string => text.replace(BLOCK, `$1${settingsTable()}\n$2`)

if (process.argv[1] === import.meta.filename) {
  await writeFile('README.md', withSettings(await readFile('README.md', 'utf8')))
}
