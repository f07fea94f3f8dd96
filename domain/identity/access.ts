/** Who has which roles in an organization, as its events say: pure questions about a directory. */
import { memberOf } from '../record/keyed.ts'
import { type Keybook, keybook } from './keybook/keybook.ts'
import { type Organization, organization } from './organization/organization.ts'
import type { Member } from './people.ts'
import { rolebook } from './rolebook/rolebook.ts'
import type { Rolebook } from './roles.ts'
import { type Grant, grantsOn, isOpen, isTo, type Sharing, sharing } from './sharing/sharing.ts'
import { type Teamtree, upFrom } from './teams.ts'
import { teamtree } from './teamtree/teamtree.ts'

/** Everything that says who may do what in one organization. */
export type Directory = {
  readonly organization: Organization
  readonly rolebook: Rolebook
  readonly teamtree: Teamtree
  readonly sharing: Sharing
  readonly keybook: Keybook
}

/** The aggregates that a directory is the states of, one stream each. */
export const partsOfDirectory = [organization, rolebook, teamtree, sharing, keybook] as const

export const emptyDirectory: Directory = {
  organization: organization.initial,
  rolebook: rolebook.initial,
  teamtree: teamtree.initial,
  sharing: sharing.initial,
  keybook: keybook.initial,
}

/** How a person stands: `outsider` where the organization does not list them. */
export type Standing = Member['status'] | 'outsider'

export const standingOf = ({ organization }: Directory, user: string): Standing =>
  memberOf(organization.members, user)?.status ?? 'outsider'

/** A role that somebody has, with where it comes from. */
export type Source =
  | { readonly by: 'member'; readonly role: string }
  | { readonly by: 'team'; readonly role: string; readonly team: string }
  | {
      readonly by: 'delegation'
      readonly role: string
      readonly delegation: string
      readonly from: string
      readonly until: string
    }

/** The teams of a person, and those that these are parts of. */
export function teamsOf({ teamtree: { teams, joined } }: Directory, user: string): readonly string[] {
  return [...new Set((memberOf(joined, user) ?? []).flatMap(team => upFrom(teams, team)))]
}

const activeRoles = ({ organization }: Directory, user: string): readonly string[] => {
  const member = memberOf(organization.members, user)
  return member?.status === 'active' ? member.roles : []
}

/** The roles of an active member: their own, those of their teams, and those that were lent to them. */
export function sourcesOf(directory: Directory, user: string, at: string): readonly Source[] {
  if (standingOf(directory, user) !== 'active') return []
  const { teamtree, sharing } = directory
  const lent = (memberOf(sharing.toUser, user) ?? []).map(id => memberOf(sharing.delegations, id)!)
  return [
    ...activeRoles(directory, user).map((role): Source => ({ by: 'member', role })),
    ...teamsOf(directory, user).flatMap(team =>
      (memberOf(teamtree.teams, team)?.roles ?? []).map((role): Source => ({ by: 'team', role, team })),
    ),
    // What was lent counts as long as its lender is here and has the role.
    ...lent
      .filter(each => isOpen(each, at))
      .flatMap(({ delegation, from, roles, until }) =>
        roles
          .filter(role => activeRoles(directory, from).includes(role))
          .map((role): Source => ({ by: 'delegation', role, delegation, from, until })),
      ),
  ]
}

/** What a thing allows a person at an instant. */
export const sharedWith = (
  { sharing }: Directory,
  { category, id }: { readonly category: string; readonly id: string },
  { user, teams, at }: { readonly user: string; readonly teams: readonly string[]; readonly at: string },
): readonly Grant[] => grantsOn(sharing, category, id).filter(grant => isOpen(grant, at) && isTo(grant, user, teams))

/** The next instant at which something of a person ends by itself, `undefined` where nothing does. */
export function endOf({ sharing, organization }: Directory, user: string, at: string): string | undefined {
  const ends = (memberOf(sharing.toUser, user) ?? []).map(id => memberOf(sharing.delegations, id)!.until)
  const invited = memberOf(organization.members, user)?.until
  return [...ends, ...(invited === undefined ? [] : [invited])].filter(end => end > at).sort()[0]
}
