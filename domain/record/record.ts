/**
 * Plain things: aggregates that are nothing but their fields. `recordMessages` makes the vocabulary of one from its
 * fields, `record` its rules. Both return what one would write by hand, so that a thing which grows rules of its own is
 * written by hand from then on, without a change of its stored events.
 */
import { z } from 'zod'
import type { Activity } from '../kernel/activity.ts'
import { type Aggregate, aggregate, inStatus, type Operation, type Vocabulary } from '../kernel/aggregate.ts'
import { rejected } from '../kernel/errors.ts'
import { type Json, storableFault } from '../kernel/json.ts'
import { fieldInfo, id, jsonObject, object, plainOf, sealed } from '../kernel/schema.ts'
import { changedFields, mergePatch } from './merge.ts'
import { said, THING } from './said.ts'
import { subjectName } from './subject.ts'

type Fields = Readonly<Record<string, z.ZodType>>
type Values = Readonly<Record<string, unknown>>

/** A plain thing: what people call one and many of it, in lower case, its fields, and some of them filled in. */
export type RecordDefinition = {
  readonly one: string
  readonly many: string
  readonly fields: Fields
  readonly example: Values
  /** Other names of fields that commands take: spelling → field. */
  readonly spellings?: Readonly<Record<string, string>>
}

/** The vocabulary of a plain thing. */
export type RecordMessages = RecordDefinition & {
  readonly name: string
  readonly events: Vocabulary
  readonly commands: Readonly<Record<'add' | 'replace' | 'change' | 'remove', z.ZodObject>>
  readonly rejections: readonly string[]
  /** The types of its events. */
  readonly types: Readonly<Record<'added' | 'changed' | 'removed', string>>
}

/**
 * The messages of a plain thing: events `…Added` (all fields, and the owner), `…Changed` (the fields that are others
 * now, null for one that is gone) and `…Removed`. The category is `one` without spaces.
 */
export function recordMessages(definition: RecordDefinition): RecordMessages {
  const { one, fields, example } = definition
  const name = one.replaceAll(' ', '')
  const noun = one.replaceAll(/(?:^| )(.)/g, (_, letter: string) => letter.toUpperCase())
  const types = { added: `${noun}Added`, changed: `${noun}Changed`, removed: `${noun}Removed` }
  return {
    ...definition,
    name,
    types,
    events: {
      [types.added]: object({ ...mapped(fields, storedOf), owner: subjectName }),
      [types.changed]: object(
        mapped(fields, field => {
          const stored = plainOf(storedOf(field))
          return field instanceof z.ZodOptional ? stored.nullable().optional() : stored.optional()
        }),
      ),
      [types.removed]: object({}),
    },
    commands: {
      add: object({ id: id(name).optional(), ...fields }).meta({ examples: [{ id: `${name}-1`, ...example }] }),
      replace: object(fields).meta({ examples: [example] }),
      change: object(
        mapped(fields, field => (isRequired(field) ? field.optional() : plainOf(field).nullable().optional())),
      ).meta({ examples: [Object.fromEntries(Object.entries(example).slice(0, 1))] }),
      remove: object({}),
    },
    rejections: [`${name}_already_added`, `${name}_removed`, `${name}_too_large`],
  }
}

export type RecordState =
  | { readonly status: 'none' }
  | { readonly status: 'present'; readonly owner: string; readonly fields: Values }
  | { readonly status: 'removed' }

/** The rules of a plain thing: added, replaced (PUT), changed (PATCH, RFC 7396), removed, and perhaps added again. */
export function record(messages: RecordMessages): Aggregate<RecordState, RecordMessages['commands'], Vocabulary> {
  const { name, events, commands, rejections, types, fields } = messages
  const gone = [`${name}_removed`, `The ${messages.one} is removed; add it again first.`] as const
  const changed = (state: RecordState, wanted: Values) => {
    const changes = changedFields(inStatus(state, 'present', gone).fields, wanted)
    return Object.keys(changes).length === 0 ? [] : [{ type: types.changed, data: changes }]
  }
  return aggregate({
    name,
    events,
    commands,
    api: recordApi(messages),
    rejections,
    initial: { status: 'none' } as RecordState,
    evolve: {
      [types.added]: (_, { owner, ...values }) => ({ status: 'present', owner: owner as string, fields: values }),
      [types.changed]: (state, changes) => {
        const present = inStatus(state, 'present')
        return { ...present, fields: { ...present.fields, ...changes } }
      },
      [types.removed]: () => ({ status: 'removed' }),
    },
    decide: {
      add(state, { id: _, ...values }, { actor }) {
        if (state.status === 'present') {
          throw rejected(`${name}_already_added`, `The ${messages.one} exists; change it or choose another id.`)
        }
        return [{ type: types.added, data: { ...values, owner: actor } }]
      },
      replace: (state, values) =>
        changed(
          state,
          mapped(fields, (_, field) => values[field] ?? null),
        ),
      change(state, changes) {
        const before = inStatus(state, 'present', gone).fields
        return changed(
          state,
          mapped(changes, (value, field) => merged(messages, field, before[field], value)),
        )
      },
      remove(state) {
        if (state.status === 'removed') return []
        inStatus(state, 'present', gone)
        return [{ type: types.removed, data: {} }]
      },
    },
    stateSchema: 1,
    activity: recordActivity(messages),
    subjectOf: state => (state.status === 'present' ? state.owner : undefined),
    removedBy: [types.removed],
    ...(messages.spellings && { spellings: messages.spellings }),
  })
}

function recordApi({
  one,
  many,
}: RecordMessages): Readonly<Record<'add' | 'replace' | 'change' | 'remove', Operation>> {
  const path = many.replaceAll(' ', '-')
  const permission = `${path}.write`
  const thing = `${/^[aeiou]/.test(one) ? 'an' : 'a'} ${one}`
  return {
    add: [`POST /${path}`, permission, `Add ${thing}, or add a removed one again.`],
    replace: [`PUT /${path}/:id`, permission, `Replace ${thing}: a field that is left out is removed.`],
    change: [`PATCH /${path}/:id`, permission, `Change fields of ${thing}, merged as RFC 7396 says: null removes.`],
    remove: [`DELETE /${path}/:id`, permission, `Remove ${thing}.`],
  }
}

/** A plain thing is called by its first field, where that is a text that is always there and open. */
function recordActivity({ one, types, fields }: RecordMessages): Activity<Vocabulary> {
  const [[name, field] = ['', z.undefined()]] = Object.entries(fields)
  const isName = isRequired(field) && storedOf(field) === field && field instanceof z.ZodString
  return {
    ...(isName && { called: name }),
    on: {
      [types.added]: said`added the ${one} ${THING}`,
      [types.changed]: said`changed the ${one} ${THING}`,
      [types.removed]: said`removed the ${one} ${THING}`,
    },
  }
}

/** The new value of a field: null gives the default back where it has one; JSON objects are merged. */
function merged({ name, fields }: RecordMessages, field: string, before: unknown, value: unknown): unknown {
  const schema = fields[field]!
  if (value === null && schema instanceof z.ZodDefault) return schema.def.defaultValue
  if (value === null || value === undefined || plainOf(schema) !== jsonObject) return value
  const whole = mergePatch(before as Json, value as Json)
  const fault = storableFault(whole)
  if (fault === undefined) return whole
  throw rejected(`${name}_too_large`, `Merged, ${field} cannot be stored: ${fault}. Remove some of it first.`, {
    field,
  })
}

const isRequired = (field: z.ZodType): boolean => !(field instanceof z.ZodOptional || field instanceof z.ZodDefault)

/** A field as events and rows hold it: sealed where it is personal, always there where it has a default. */
export function storedOf(field: z.ZodType): z.ZodType {
  const plain = plainOf(field)
  const stored = fieldInfo(plain).personal === undefined ? plain : sealed
  return field instanceof z.ZodOptional ? stored.optional() : stored
}

const mapped = <V, T>(values: Readonly<Record<string, V>>, to: (value: V, name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value, name)]))
