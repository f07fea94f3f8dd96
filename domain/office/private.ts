/** What belongs to one person: contact books and calendars of the kind `personal`, and what is in them. */
import type { Context } from '../kernel/aggregate.ts'
import type { PartOf } from '../kernel/context.ts'
import { rejected } from '../kernel/errors.ts'
import { list, refined, text } from '../kernel/schema.ts'
import type { RecordState, record } from '../record/record.ts'

type Plain = ReturnType<typeof record>

/** Users and teams that a personal thing is shared with, who read and change what is in it. */
export const sharedWith = list(
  refined(text(200), name => /^(user|team) ./.test(name), 'must be `user mira` or `team design`'),
  100,
)
  .default([])
  .meta({ description: 'who else reads and changes what is in it, where it is personal: `user mira`, `team design`' })

const refusalOf = (category: string) => `${category}_not_yours`

const mustBeOwn =
  (category: string) =>
  (state: RecordState, { behalf, actor, teams, permissions }: Context): void => {
    if (state.status !== 'present' || state.fields.kind !== 'personal') return
    const caller = behalf ?? { subject: actor, teams }
    if (caller.subject === state.owner || permissions.some(each => each === '*' || each === 'office.*')) return
    const names = [`user ${caller.subject}`, ...(caller.teams ?? []).map(team => `team ${team}`)]
    if ((state.fields.shared_with as readonly string[]).some(name => names.includes(name))) return
    throw rejected(refusalOf(category), 'It is personal: ask its owner to share it with you.')
  }

/** A plain thing that its owner, and whoever it is shared with, may change alone while its kind is `personal`. */
export const ownedRecord = (plain: Plain): Plain => ({
  ...plain,
  rejections: [...plain.rejections, refusalOf(plain.name)],
  guard: mustBeOwn(plain.name),
  decide: Object.fromEntries(
    Object.entries(plain.decide).map(([name, decide]) => [
      name,
      (state: RecordState, command: never, context: Context) => {
        mustBeOwn(plain.name)(state, context)
        return decide(state, command, context)
      },
    ]),
  ) as unknown as Plain['decide'],
})

/** What is in a thing that a field names: who may change that one may change it. */
export const partOf = (category: string, field: string): PartOf<RecordState> => ({
  of: (state, command) =>
    [...new Set([state.status === 'present' ? state.fields[field] : undefined, command[field]])].flatMap(id =>
      typeof id === 'string' ? [{ category, id }] : [],
    ),
  refusals: [refusalOf(category)],
})
