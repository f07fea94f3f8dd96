import { ROLES, service } from '../kernel/service.ts'
import { configuration } from './configuration/configuration.ts'

/** Everybody may set what concerns themselves alone. */
export const settingsService = service({
  code: 'kmg',
  word: 'settings',
  title: 'Manager: settings and flags',
  aggregates: [configuration],
  roles: Object.fromEntries(ROLES.map(role => [role, ['own-values.write']])),
  adminOnly: ['values.read', 'values.write', 'flags.write'],
})
