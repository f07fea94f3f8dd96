import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { organizationOfOrg, type People } from '../people.ts'
import { mustGive, mustTouch, type Rolebook, rolebookOfOrg } from '../roles.ts'
import { rolesOfTeams, TEAMTREE, type Team, type Teamtree, upFrom } from '../teams.ts'
import { commands, events, rejections } from './messages.ts'

const TEAMS_MAX = 2_000
const MEMBERS_MAX = 1_000

const without = (list: readonly string[], member: string) => list.filter(each => each !== member)

function changedTeam({ teams, ...rest }: Teamtree, team: string, change: (before: Team) => Partial<Team>): Teamtree {
  const before = memberOf(teams, team)!
  return { ...rest, teams: withMember(teams, team, { ...before, ...change(before) }) }
}

const counted = (state: Teamtree, parent: string | null, more: 1 | -1): Teamtree =>
  parent === null ? state : changedTeam(state, parent, ({ below }) => ({ below: below + more }))

const withJoined = (state: Teamtree, user: string, teams: readonly string[]): Teamtree => ({
  ...state,
  joined: teams.length > 0 ? withMember(state.joined, user, teams) : withoutMember(state.joined, user),
})

const evolve: Evolve<Teamtree, typeof events> = {
  TeamMade(state, { team, name, parent }) {
    const teams = withMember(state.teams, team, { name, parent, roles: [], members: [], below: 0 })
    return counted({ ...state, status: 'kept', teams, count: state.count + 1 }, parent, 1)
  },
  TeamRenamed: (state, { team, name }) => changedTeam(state, team, () => ({ name })),
  TeamMoved: (state, { team, from, parent }) =>
    counted(
      counted(
        changedTeam(state, team, () => ({ parent })),
        from,
        -1,
      ),
      parent,
      1,
    ),
  TeamRolesSet: (state, { team, roles }) => changedTeam(state, team, () => ({ roles })),
  TeamJoined: (state, { team, user }) =>
    withJoined(
      changedTeam(state, team, ({ members }) => ({ members: [...members, user] })),
      user,
      [...(memberOf(state.joined, user) ?? []), team],
    ),
  TeamLeft: (state, { team, user }) =>
    withJoined(
      changedTeam(state, team, ({ members }) => ({ members: without(members, user) })),
      user,
      without(memberOf(state.joined, user) ?? [], team),
    ),
  TeamDropped(state, { team }) {
    const { parent, members } = memberOf(state.teams, team)!
    const left = members.reduce(
      (before, user) => withJoined(before, user, without(memberOf(before.joined, user) ?? [], team)),
      state,
    )
    return counted({ ...left, teams: withoutMember(left.teams, team), count: left.count - 1 }, parent, -1)
  },
}

const decide: Decide<Teamtree, typeof commands, typeof events> = {
  make({ teams, count }, { team, name, parent }) {
    if (memberOf(teams, team)) throw rejected('team_already_made', 'There is a team with this id.', { team })
    if (count >= TEAMS_MAX) throw rejected('teamtree_full', 'Drop a team that nobody needs.', { most: TEAMS_MAX })
    if (parent !== null) known(teams, parent)
    return [{ type: 'TeamMade', data: { team, name, parent } }]
  },
  rename({ teams }, { team, name }) {
    return known(teams, team).name === name ? [] : [{ type: 'TeamRenamed', data: { team, name } }]
  },
  move({ teams }, { team, parent, reason }, context) {
    const { parent: from } = known(teams, team)
    if (from === parent) return []
    if (parent !== null) known(teams, parent)
    const above = parent === null ? [] : upFrom(teams, parent)
    if (above.includes(team)) {
      throw rejected('team_below_itself', 'The team would be a part of itself: choose one that is not below it.', {
        team,
      })
    }
    mustGive(rolesOfTeams(teams, above), context.seen as Rolebook, context)
    mustTouch(from === null ? [] : rolesOfTeams(teams, upFrom(teams, from)), context)
    return [{ type: 'TeamMoved', data: { team, from, parent, reason } }]
  },
  setRoles({ teams }, { team, roles, reason }, context) {
    const before = known(teams, team).roles
    if (roles.length === before.length && roles.every(role => before.includes(role))) return []
    mustGive(
      roles.filter(role => !before.includes(role)),
      context.seen as Rolebook,
      context,
    )
    mustTouch(before, context)
    return [{ type: 'TeamRolesSet', data: { team, roles, reason } }]
  },
  join({ teams }, { team, user, reason }, context) {
    const { members } = known(teams, team)
    if (members.includes(user)) return []
    if (members.length >= MEMBERS_MAX) {
      throw rejected('team_full', 'Make a team below it for more people.', { most: MEMBERS_MAX })
    }
    mustGive(rolesOfTeams(teams, upFrom(teams, team)), context.seen as Rolebook, context)
    return [{ type: 'TeamJoined', data: { team, user, reason } }]
  },
  leave({ teams }, { team, user, reason }, context) {
    if (!memberOf(teams, team)?.members.includes(user)) return []
    mustTouch(rolesOfTeams(teams, upFrom(teams, team)), context)
    return [{ type: 'TeamLeft', data: { team, user, ...because(reason) } }]
  },
  /** Somebody who is a member again by now keeps their teams. */
  clear({ joined }, { user, reason }, { seen }) {
    const standing = memberOf((seen as People).members, user)?.status
    if (standing === 'active' || standing === 'suspended') return []
    const teams = memberOf(joined, user) ?? []
    return teams.map(team => ({ type: 'TeamLeft' as const, data: { team, user, ...because(reason) } }))
  },
  drop({ teams }, { team, reason }, context) {
    const there = memberOf(teams, team)
    if (there === undefined) return []
    if (there.below > 0) throw rejected('team_has_teams', 'Move or drop the teams below it first.', { team })
    mustTouch(rolesOfTeams(teams, upFrom(teams, team)), context)
    return [{ type: 'TeamDropped', data: { team, ...because(reason) } }]
  },
}

const WRITE = 'teams.write'

/** The teams of an organization: one tree, so that no two moves at once can make a circle. */
export const teamtree = aggregate({
  name: 'teamtree',
  only: TEAMTREE,
  events,
  commands,
  api: {
    make: ['POST /teams', WRITE, 'Make a team, at the top or as a part of another one.'],
    rename: ['PUT /teams/:team/name', WRITE, 'Rename a team.'],
    move: ['PUT /teams/:team/parent', WRITE, 'Make a team, with all below it, a part of another one.'],
    setRoles: ['PUT /teams/:team/roles', WRITE, 'Set the roles that all members of a team have.'],
    join: ['PUT /teams/:team/members/:user', WRITE, 'Let a person join a team.'],
    leave: ['DELETE /teams/:team/members/:user', WRITE, 'Take a person out of a team.'],
    clear: 'internal',
    drop: ['DELETE /teams/:team', WRITE, 'Drop a team without teams below it.'],
  },
  rejections: [...rejections],
  initial: { status: 'empty', teams: noneKeyed, count: 0, joined: noneKeyed } as Teamtree,
  evolve,
  decide,
  sees: {
    move: () => rolebookOfOrg,
    setRoles: () => rolebookOfOrg,
    join: () => rolebookOfOrg,
    clear: () => organizationOfOrg,
  },
  stateSchema: 1,
  activity: {
    on: {
      TeamMade: ({ name }) => said`made the team ${mention('team', name)}`,
      TeamRenamed: ({ name }) => said`renamed a team to ${mention('team', name)}`,
      TeamMoved: ({ team }) => said`moved the team ${mention('team', team)}`,
      TeamRolesSet: ({ team }) => said`changed the roles of the team ${mention('team', team)}`,
      TeamJoined: ({ team, user }) => said`added ${mention('inbox', user)} to the team ${mention('team', team)}`,
      TeamLeft: ({ team, user }) => said`took ${mention('inbox', user)} out of the team ${mention('team', team)}`,
      TeamDropped: ({ team }) => said`dropped the team ${mention('team', team)}`,
    },
  },
})

function known(teams: Teamtree['teams'], team: string): Team {
  const found = memberOf(teams, team)
  if (found) return found
  throw rejected('team_unknown', 'There is no such team: make it first.', { team })
}
