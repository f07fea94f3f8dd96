/** Writes the table of roles in docs/tokens.md from the services themselves: `node --import tsx scripts/roles.ts`. */
import { readFile, writeFile } from 'node:fs/promises'
import { ADMIN_ROLES, ROLES, type Role, type Service } from '../domain/kernel/service.ts'
import { grantedBy, permissions, permissionsOfRoles } from '../infra/auth/permissions.ts'
import { services } from '../infra/catalogue.ts'

const BLOCK = /(<!-- roles -->\n)[\s\S]*?(<!-- \/roles -->)/

/** What each role may do in each service, in Markdown. */
function rolesTable(): string {
  const named = services.filter(({ word }) => permissions.some(name => name.startsWith(`${word}.`)))
  const rows = ROLES.map(role => [`\`${role}\``, ...named.map(service => cell(service, role))])
  const lines = [['role', ...named.map(({ word }) => word)], ['---', ...named.map(() => '---')], ...rows]
  return lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function cell(service: Service, role: Role): string {
  if (ADMIN_ROLES.includes(role)) {
    const held = permissionsOfRoles([role])
    return held.includes('*') || held.includes(`${service.word}.*`) ? 'all' : '–'
  }
  const all = permissions.filter(name => name.startsWith(`${service.word}.`))
  const granted = grantedBy(service, role)
  const rest = granted.filter(name => !name.endsWith('.read'))
  if (granted.length === 0) return '–'
  if (granted.length === all.length) return 'all'
  const reads = all.filter(name => name.endsWith('.read'))
  const readsAll = reads.length > 0 && reads.every(name => granted.includes(name))
  const shown = (readsAll ? rest : granted).map(name => `\`${name.slice(service.word.length + 1)}\``)
  return [...(readsAll ? ['all reads'] : []), ...shown].join(', ')
}

/** A text with its table of roles renewed. */
export const withRoles = (text: string): string => text.replace(BLOCK, `$1${rolesTable()}\n$2`)

if (process.argv[1] === import.meta.filename) {
  await writeFile('docs/tokens.md', withRoles(await readFile('docs/tokens.md', 'utf8')))
}
