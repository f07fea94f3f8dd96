/** The storage and wire contract of the teams of an organization: add, never rename. */
import { id, object, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { personName, subjectName } from '../../record/subject.ts'
import { roleNames } from '../roles.ts'

const team = id('team')
const name = text(200).meta({ description: 'what people call the team' })
const parent = id('team').nullable().meta({ description: 'the team that it is a part of; null at the top' })
const user = subjectName.meta({ description: 'the person, as tokens name them' })
const person = personName.meta({ description: 'the person, as tokens name them' })
const why = { reason: reason.optional() }

export const events = {
  TeamMade: object({ team, name, parent }),
  TeamRenamed: object({ team, name }),
  TeamMoved: object({ team, from: parent, parent, ...why }),
  TeamRolesSet: object({ team, roles: roleNames, ...why }),
  TeamJoined: object({ team, user, ...why }),
  TeamLeft: object({ team, user, ...why }),
  TeamDropped: object({ team, ...why }),
} as const

export const commands = {
  make: object({ team, name, parent: parent.default(null) }).meta({
    examples: [{ team: 'kitchen', name: 'Kitchen', parent: null }],
  }),
  rename: object({ team, name }).meta({ examples: [{ team: 'kitchen', name: 'The kitchen' }] }),
  move: object({ team, parent, reason }).meta({
    examples: [{ team: 'kitchen', parent: null, reason: 'It stands on its own now.' }],
  }),
  setRoles: object({ team, roles: roleNames, reason }).meta({
    examples: [{ team: 'kitchen', roles: ['contributor'], reason: 'The kitchen writes the menu.' }],
  }),
  join: object({ team, user: person, reason }).meta({
    examples: [{ team: 'kitchen', user: 'jon', reason: 'Cooks from Monday on.' }],
  }),
  leave: object({ team, user, reason: reason.optional() }).meta({ examples: [{ team: 'kitchen', user: 'jon' }] }),
  clear: object({ user, reason: reason.optional() }),
  drop: object({ team, reason: reason.optional() }).meta({ examples: [{ team: 'kitchen' }] }),
} as const

export const rejections = [
  'team_already_made',
  'team_unknown',
  'team_below_itself',
  'team_has_teams',
  'team_full',
  'teamtree_full',
] as const
