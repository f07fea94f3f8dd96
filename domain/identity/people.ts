/** The people of an organization, as the rules of other things of it see them. */
import type { Keyed } from '../record/keyed.ts'

/** A person of an organization. One who was removed is kept, so that tokens in hand are refused. */
export type Member = {
  readonly status: 'invited' | 'active' | 'suspended' | 'removed'
  readonly roles: readonly string[]
  /** When an invitation is over. */
  readonly until?: string
}

/** The people of an organization, by their names in tokens. */
export type People = { readonly members: Keyed<Member> }

/** The id of the one organization that an org is. */
export const ORGANIZATION = 'organization'
export const organizationOfOrg = { category: 'organization', id: ORGANIZATION } as const
