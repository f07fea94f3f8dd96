import { service } from '../kernel/service.ts'
import { inbox } from './inbox/inbox.ts'
import { mail } from './mail/mail.ts'

export const hubService = service({
  code: 'khub',
  word: 'hub',
  title: 'Hub: activity and notifications',
  aggregates: [inbox, mail],
  roles: {
    'team-lead': ['inbox.write'],
    'team-member': ['inbox.write'],
    contributor: ['inbox.write'],
    viewer: ['inbox.write'],
    guest: ['inbox.write'],
    auditor: ['inbox.write'],
  },
  adminOnly: ['inboxes.read', 'mails.read'],
})
