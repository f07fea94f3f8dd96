import type { z } from 'zod'
import { events } from '../../domain/identity/teamtree/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, list, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { existing, type Handler, type Handlers, projection } from '../rows/projection.ts'

const { team, name, parent } = events.TeamMade.shape

const row = object({
  org: id('org'),
  team,
  name,
  parent: parent.unwrap().optional().meta({ description: 'the team that it is a part of' }),
  roles: events.TeamRolesSet.shape.roles,
  members: list(subjectName, 1_000).meta({ description: 'who has joined it' }),
  revision: unsigned64.meta({ description: 'revision of the teams that made it so' }),
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const changed = <D extends { readonly team: string }>(
  columns: (data: D, before: Row) => Partial<Row>,
): Handler<Row, D> => ({
  keys: ({ data: { team }, metadata: { org } }: DomainEvent<string, D>) => [{ org, team }],
  fold: (row, event) => {
    const before = existing(row, event)
    const { data, metadata, revision } = event
    return { ...before, ...columns(data, before), revision, updated_at: metadata.at }
  },
})

const on: Handlers<Row, typeof events> = {
  TeamMade: {
    keys: ({ data: { team }, metadata: { org } }) => [{ org, team }],
    fold: (_, { data: { team, name, parent }, metadata: { org, at }, revision }) => ({
      org,
      team,
      name,
      parent: parent ?? undefined,
      roles: [],
      members: [],
      revision,
      updated_at: at,
    }),
  },
  TeamRenamed: changed(({ name }) => ({ name })),
  TeamMoved: changed(({ parent }) => ({ parent: parent ?? undefined })),
  TeamRolesSet: changed(({ roles }) => ({ roles })),
  TeamJoined: changed(({ user }, { members }) => ({ members: [...members, user] })),
  TeamLeft: changed(({ user }, { members }) => ({ members: members.filter(each => each !== user) })),
  TeamDropped: {
    keys: ({ data: { team }, metadata: { org } }) => [{ org, team }],
    fold: () => null,
  },
}

/** One row per team. */
export const teams = projection({
  name: 'teams',
  service: 'identity',
  version: 1,
  history: true,
  of: { teamtree: events },
  row,
  key: ['org', 'team'],
  on,
  reads: [
    {
      one: 'team',
      many: 'teams',
      path: '/teams',
      permission: 'teams.read',
      names: [],
      order: ['team'],
      filters: ['team', 'parent', 'members', 'roles'],
      summary: { list: 'The teams of the organization: what each is a part of, its roles, and who has joined it.' },
    },
  ],
})
