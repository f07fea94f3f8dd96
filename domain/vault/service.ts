import { service } from '../kernel/service.ts'
import { secret } from './secret/secret.ts'

/** A part of the base, with permissions of its own: `identity.*` opens no secret. */
export const vaultService = service({
  code: 'kbs',
  word: 'vault',
  title: 'Vault: secrets',
  aggregates: [secret],
  roles: { 'team-lead': ['secrets.read'], auditor: ['*.read'] },
  adminOnly: ['secrets.write', 'leases.write'],
})
