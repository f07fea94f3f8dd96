import { expect } from 'chai'
import fc from 'fast-check'
import { organization } from '../../../domain/identity/organization/organization.ts'
import { rolebook } from '../../../domain/identity/rolebook/rolebook.ts'
import { type Teamtree, upFrom } from '../../../domain/identity/teams.ts'
import { teamtree } from '../../../domain/identity/teamtree/teamtree.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { memberOf } from '../../../domain/record/keyed.ts'
import { CONTEXT, codeOf, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(teamtree)
const reason = 'So it is.'
const made = (team: string, parent: string | null = null) =>
  ({ type: 'TeamMade', data: { team, name: team, parent } }) as const
const joined = (team: string, user: string) => ({ type: 'TeamJoined', data: { team, user, reason } }) as const
const moved = (team: string, from: string | null, parent: string | null) =>
  ({ type: 'TeamMoved', data: { team, from, parent, reason } }) as const
const leading: string[] = ['team-lead']
const leads = { type: 'TeamRolesSet', data: { team: 'house', roles: leading, reason } } as const
const admin = { permissions: ['identity.*'], seen: rolebook.initial }
const clerk = { permissions: ['identity.teams.write'], seen: rolebook.initial }

describe('teamtree', () => {
  it('loses those who left the organization, unless they are back', () => {
    const people = [
      { type: 'OrganizationFounded', data: { name: 'x', founder: 'mira' } },
      { type: 'MemberAdded', data: { user: 'jon', roles: [] as string[] } },
    ] as const
    const gone = [...people, { type: 'MemberRemoved', data: { user: 'jon' } }] as const
    const teams = [made('house'), made('yard'), joined('house', 'jon'), joined('yard', 'jon'), joined('house', 'nia')]
    const left = (team: string) => ({ type: 'TeamLeft', data: { team, user: 'jon', reason } }) as const
    const [away, back] = [{ seen: stateOf(organization, gone) }, { seen: stateOf(organization, people) }]
    given(...teams)
      .when('clear', { user: 'jon', reason }, away)
      .then(left('house'), left('yard'))
    given(...teams)
      .when('clear', { user: 'jon', reason }, back)
      .changesNothing()
    given(made('house')).when('clear', { user: 'jon', reason }, away).changesNothing()
  })

  it('makes teams, once each, under teams that there are', () => {
    given().when('make', { team: 'house', name: 'house', parent: null }).then(made('house'))
    given(made('house')).when('make', { team: 'house', name: 'x', parent: null }).rejects('team_already_made')
    given().when('make', { team: 'kitchen', name: 'x', parent: 'house' }).rejects('team_unknown')
  })

  it('moves them, never below themselves', () => {
    const three = [made('house'), made('kitchen', 'house'), made('pastry', 'kitchen')] as const
    const move = (team: string, parent: string | null) => given(...three).when('move', { team, parent, reason }, admin)
    move('house', 'pastry').rejects('team_below_itself')
    move('house', 'house').rejects('team_below_itself')
    move('pastry', null).then(moved('pastry', 'kitchen', null))
    move('pastry', 'kitchen').changesNothing()
    move('pastry', 'garden').rejects('team_unknown')
  })

  it('drops those without teams below them, with their members', () => {
    const two = [made('house'), made('kitchen', 'house')] as const
    given(...two)
      .when('drop', { team: 'house' })
      .rejects('team_has_teams')
    given(...two)
      .when('drop', { team: 'kitchen' })
      .then({ type: 'TeamDropped', data: { team: 'kitchen' } })
    given(...two, moved('kitchen', 'house', null))
      .when('drop', { team: 'house' })
      .then({ type: 'TeamDropped', data: { team: 'house' } })
    given().when('drop', { team: 'house' }).changesNothing()
  })

  it('gives its roles to nobody by the hand of one who could not give them', () => {
    const below = [made('house'), leads, made('kitchen', 'house'), made('garden')] as const
    const refused = (run: () => unknown) => expect(codeOf(run)).to.equal('role_not_yours')
    const state = stateOf(teamtree, [...below])
    const by = (context: object) => ({ ...CONTEXT, ...context })
    refused(() => teamtree.decide.join(state, { team: 'kitchen', user: 'jon', reason }, by(clerk)))
    refused(() => teamtree.decide.move(state, { team: 'garden', parent: 'kitchen', reason }, by(clerk)))
    refused(() => teamtree.decide.setRoles(state, { team: 'garden', roles: ['viewer'], reason }, by(clerk)))
    given(...below)
      .when('join', { team: 'kitchen', user: 'jon', reason }, admin)
      .then(joined('kitchen', 'jon'))
    given(...below)
      .when('join', { team: 'garden', user: 'jon', reason }, clerk)
      .then(joined('garden', 'jon'))
  })

  it('is changed by administrators alone where it makes administrators', () => {
    const admins: string[] = ['organization-admin']
    const rules = { type: 'TeamRolesSet', data: { team: 'house', roles: admins, reason } } as const
    const state = stateOf(teamtree, [made('house'), rules, made('kitchen', 'house'), joined('kitchen', 'jon')])
    const changes = (context: object) => {
      const by = { ...CONTEXT, ...context }
      return [
        codeOf(() => teamtree.decide.leave(state, { team: 'kitchen', user: 'jon' }, by)),
        codeOf(() => teamtree.decide.drop(state, { team: 'kitchen' }, by)),
        codeOf(() => teamtree.decide.move(state, { team: 'kitchen', parent: null, reason }, by)),
        codeOf(() => teamtree.decide.setRoles(state, { team: 'house', roles: [], reason }, by)),
      ]
    }
    expect(changes(clerk)).to.deep.equal(Array(4).fill('role_not_yours'))
    expect(changes(admin)).to.deep.equal(Array(4).fill(undefined))
  })

  it('lets people join and leave, each once', () => {
    const there = [made('house'), joined('house', 'jon')] as const
    given(...there)
      .when('join', { team: 'house', user: 'jon', reason }, admin)
      .changesNothing()
    given(...there)
      .when('leave', { team: 'house', user: 'jon' })
      .then({ type: 'TeamLeft', data: { team: 'house', user: 'jon' } })
    given(made('house')).when('leave', { team: 'house', user: 'jon' }).changesNothing()
  })

  it('has no circle, counts right, and knows the teams of everybody, after any commands', () => {
    const team = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.record({
      name: fc.constantFrom('make', 'move', 'join', 'leave', 'drop'),
      body: fc.record({
        team,
        parent: fc.option(team),
        user: fc.constantFrom('jon', 'nia'),
        name: fc.constant('x'),
        reason: fc.constant(reason),
      }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let state: Teamtree = teamtree.initial
        for (const { name, body } of steps) {
          try {
            const facts = teamtree.decide[name as 'make'](state, body, { ...CONTEXT, ...admin })
            for (const { type, data } of facts) state = teamtree.evolve[type](state, data as never, CONTEXT.at)
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
          }
        }
        const there = ['a', 'b', 'c', 'd'].filter(each => memberOf(state.teams, each))
        expect(state.count).to.equal(there.length)
        for (const each of there) {
          const above = upFrom(state.teams, each)
          expect(new Set(above).size).to.equal(above.length)
          const { below, members } = memberOf(state.teams, each)!
          expect(below).to.equal(there.filter(other => memberOf(state.teams, other)!.parent === each).length)
          for (const user of ['jon', 'nia']) {
            expect((memberOf(state.joined, user) ?? []).includes(each)).to.equal(members.includes(user))
          }
        }
      }),
    )
  })
})
