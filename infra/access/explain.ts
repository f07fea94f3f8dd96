/** Why a person may do something in an organization, or why not. */
import { sharedWith, sourcesOf, standingOf, teamsOf } from '../../domain/identity/access.ts'
import { rolesDefined } from '../../domain/identity/roles.ts'
import { ROLES } from '../../domain/kernel/service.ts'
import { covers } from '../../domain/record/grants.ts'
import type { Explain, Explanation } from '../../read-api/identity/explain.ts'
import type { Directories } from './directories.ts'
import { givenBy, permissionsOf, sourcesFor } from './effective.ts'

/** What standing alone says, where it says no. */
const REFUSED = { suspended: 'suspended', removed: 'no_member' } as const

/** Answers from the directory alone: what the token of an outsider says is not known here. */
export const explaining =
  (directories: Directories): Explain =>
  async (org, { subject, permission, thing }, at) => {
    const directory = await directories.of(org)
    const standing = standingOf(directory, subject)
    const { status, outsiders } = directory.organization
    const roles = [...ROLES, ...rolesDefined(directory.rolebook)]
    const holders = roles.filter(role => covers(permissionsOf(directory, role), permission))
    const asked = { subject, permission, ...(thing && { thing }), standing, holders }
    const answer = (decision: Explanation['decision'], why: Explanation['why'], because: Explanation['because'] = []) =>
      ({ ...asked, decision, why, because }) as const
    if (status === 'none') return answer('by_token', 'no_organization')
    if (standing === 'suspended' || standing === 'removed') return answer('refused', REFUSED[standing])
    const sources = sourcesFor(directory, sourcesOf(directory, subject, at), permission)
    const teams = teamsOf(directory, subject)
    const grants = thing ? sharedWith(directory, thing, { user: subject, teams, at }) : []
    const because: Explanation['because'] = [
      ...sources,
      ...grants
        .filter(grant => givenBy(grant, permission))
        .map(({ grant, role, kind, with: grantee, until }) => ({
          by: 'grant' as const,
          grant,
          role,
          ...(kind === 'team' && { team: grantee }),
          ...(until !== undefined && { until }),
        })),
    ]
    const isClosed = standing !== 'active' && outsiders === 'refused'
    if (isClosed) return answer('refused', standing === 'invited' ? 'invited' : 'no_member')
    if (because.length > 0) return answer('allowed', 'held', because)
    return standing === 'active' ? answer('refused', 'not_held') : answer('by_token', 'outsider')
  }
