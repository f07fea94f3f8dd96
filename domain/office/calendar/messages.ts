import { oneOf, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { sharedWith } from '../private.ts'

/** A calendar: of one person, of the portfolio, of a project or of a team. */
export const messages = recordMessages({
  one: 'calendar',
  many: 'calendars',
  fields: {
    name: text(255),
    kind: oneOf('personal', 'portfolio', 'project', 'team').default('personal'),
    description: text(2_000).optional(),
    color: text(32).optional().meta({ description: 'how it is shown: `#336699`' }),
    zone: text(64).optional().meta({ description: 'time zone that it is shown in: Europe/Berlin' }),
    project: ref('project').optional(),
    team: text(128).optional(),
    shared_with: sharedWith,
  },
  example: { name: 'Printing', kind: 'project', zone: 'Europe/Berlin' },
})
