import { teams } from '../../../projections/identity/teams.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: teams', () => {
  const { given } = rowsFor(teams)
  const made = (team: string, parent: string | null) => ({ type: 'TeamMade', data: { team, name: team, parent } })
  const of = (type: string, more: object = {}) => ({ type, data: { team: 'kitchen', ...more } })

  it('are what the teams are, and who is in them', () =>
    given(
      made('house', null),
      made('kitchen', 'house'),
      of('TeamRenamed', { name: 'The kitchen' }),
      of('TeamRolesSet', { roles: ['contributor'] }),
      of('TeamJoined', { user: 'jon' }),
      of('TeamJoined', { user: 'nia' }),
      of('TeamLeft', { user: 'jon' }),
    ).then(
      { team: 'house', parent: undefined, members: [], roles: [], revision: 0n },
      { team: 'kitchen', name: 'The kitchen', parent: 'house', members: ['nia'], roles: ['contributor'], revision: 6n },
    ))
  it('move, and end', () =>
    given(
      made('house', null),
      made('kitchen', 'house'),
      of('TeamMoved', { from: 'house', parent: null }),
      of('TeamDropped'),
    ).then({ team: 'house' }))
})
