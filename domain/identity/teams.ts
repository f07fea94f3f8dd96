/** The teams of an organization, as the rules of other things of it see them. */
import { type Keyed, memberOf } from '../record/keyed.ts'

export type Team = {
  readonly name: string
  readonly parent: string | null
  /** Roles that all of its members have, and those of the teams below it. */
  readonly roles: readonly string[]
  readonly members: readonly string[]
  /** Teams right below it. */
  readonly below: number
}

export type Teamtree = {
  readonly status: 'empty' | 'kept'
  readonly teams: Keyed<Team>
  readonly count: number
  /** The teams that each person has joined. */
  readonly joined: Keyed<readonly string[]>
}

/** The id of the one tree of teams of an organization. */
export const TEAMTREE = 'teams'
export const teamtreeOfOrg = { category: 'teamtree', id: TEAMTREE } as const

/** A team and those above it, the nearest first. */
export function upFrom(teams: Teamtree['teams'], team: string): readonly string[] {
  const found: string[] = []
  for (let at: string | null = team; at !== null; at = memberOf(teams, at)?.parent ?? null) found.push(at)
  return found
}

/** The roles of some teams. */
export const rolesOfTeams = (teams: Teamtree['teams'], names: readonly string[]): readonly string[] => [
  ...new Set(names.flatMap(name => memberOf(teams, name)?.roles ?? [])),
]

/** The roles that a person has by the teams that they have joined. */
export const rolesByTeams = ({ teams, joined }: Teamtree, user: string): readonly string[] =>
  rolesOfTeams(
    teams,
    (memberOf(joined, user) ?? []).flatMap(team => upFrom(teams, team)),
  )
