import { service } from '../kernel/service.ts'
import { platform } from './platform/platform.ts'

/** What operators do, in no organization: nobody but `platform-admin` holds its permissions. */
export const platformService = service({
  code: 'kmg',
  word: 'platform',
  title: 'Manager: the installation',
  aggregates: [platform],
  roles: {},
  adminOnly: [
    'log.read',
    'settings.read',
    'settings.write',
    'quotas.write',
    'maintenance.write',
    'announcements.write',
    'organizations.write',
  ],
})
