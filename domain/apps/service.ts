import { service } from '../kernel/service.ts'
import { delivery } from './delivery/delivery.ts'
import { webhook } from './webhook/webhook.ts'

export const appsService = service({
  code: 'kapp',
  word: 'apps',
  title: 'Apps: webhooks',
  aggregates: [webhook, delivery],
  roles: { 'team-lead': ['*'], auditor: ['*.read'] },
})
