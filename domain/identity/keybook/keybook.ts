import { aggregate, type Context, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { covers } from '../../record/grants.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { laterBy } from '../../time/civil.ts'
import { organizationOfOrg, type People } from '../people.ts'
import { administers } from '../roles.ts'
import { commands, events, rejections } from './messages.ts'

/** A key that was made. One that was revoked is kept, so that its name is not given again. */
export type ApiKey = {
  readonly status: 'active' | 'revoked'
  readonly owner: string
  readonly scopes: readonly string[]
  readonly generation: number
  /** Until when the generation before counts. */
  readonly earlierUntil?: string
  readonly expiresAt?: string | undefined
}

export type Keybook = {
  readonly status: 'empty' | 'kept'
  readonly keys: Keyed<ApiKey>
  /** Keys that were not revoked, and all that were made. */
  readonly active: number
  readonly made: number
}

/** The id of the one list of API keys of an organization. */
const KEYBOOK = 'keys'
const ACTIVE_MAX = 1_000
const MADE_MAX = 50_000
const HOUR_SECONDS = 3_600

function changed(state: Keybook, key: string, change: (before: ApiKey) => Partial<ApiKey>): Keybook {
  const before = memberOf(state.keys, key)!
  return { ...state, keys: withMember(state.keys, key, { ...before, ...change(before) }) }
}

const evolve: Evolve<Keybook, typeof events> = {
  ApiKeyMade: ({ keys, active, made }, { key, owner, scopes, generation, expiresAt }) => ({
    status: 'kept',
    keys: withMember(keys, key, { status: 'active', owner, scopes, generation, expiresAt }),
    active: active + 1,
    made: made + 1,
  }),
  ApiKeyRotated: (state, { key, generation, earlierUntil }) =>
    changed(state, key, () => ({ generation, earlierUntil })),
  ApiKeyRevoked: (state, { key }) => ({
    ...changed(state, key, () => ({ status: 'revoked' })),
    active: state.active - 1,
  }),
}

const decide: Decide<Keybook, typeof commands, typeof events> = {
  make(state, { key, name, owner: asked, scopes, expires_at: expiresAt, reason }, context) {
    const { actor, at, newId } = context
    const owner = asked ?? actor
    if (owner !== actor && !administers(context)) throw notYours()
    if (memberOf((context.seen as People).members, owner)?.status !== 'active') {
      throw rejected('key_needs_member', 'A key acts as an active member: add its owner first.', { owner })
    }
    mustHold(scopes, context)
    const id = key ?? newId(0)
    if (memberOf(state.keys, id)) throw rejected('key_exists', 'There is or was a key of this id.', { key: id })
    if (expiresAt !== undefined && expiresAt <= at) throw rejected('key_over', 'Name a time to come.')
    if (state.active >= ACTIVE_MAX || state.made >= MADE_MAX) {
      throw rejected('keys_full', 'Revoke keys that nobody needs.', { most: ACTIVE_MAX })
    }
    const data = { key: id, name, owner, scopes, generation: 1, reason, ...(expiresAt !== undefined && { expiresAt }) }
    return [{ type: 'ApiKeyMade', data }]
  },
  rotate(state, { key, overlap_hours: hours, reason }, context) {
    const there = own(state, key, context)
    if (there.status === 'revoked') throw rejected('key_over', 'The key was revoked: make another one.')
    mustHold(there.scopes, context)
    const earlierUntil = laterBy(hours * HOUR_SECONDS, context.at)
    return [{ type: 'ApiKeyRotated', data: { key, generation: there.generation + 1, earlierUntil, reason } }]
  },
  revoke(state, { key, reason }, context) {
    const { status, owner } = own(state, key, context)
    return status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: { key, owner, ...because(reason) } }]
  },
}

/** The keys with which servers act as members, narrowed to scopes. */
export const keybook = aggregate({
  name: 'keybook',
  only: KEYBOOK,
  events,
  commands,
  api: {
    make: 'internal',
    rotate: 'internal',
    revoke: ['DELETE /api-keys/:key', 'keys.write', 'Revoke an API key: it allows nothing from now on.'],
  },
  rejections,
  initial: { status: 'empty', keys: noneKeyed, active: 0, made: 0 } as Keybook,
  evolve,
  decide,
  sees: { make: () => organizationOfOrg },
  stateSchema: 1,
  activity: {
    on: {
      ApiKeyMade: ({ name, owner }) => said`made the API key ${name} for ${mention('inbox', owner)}`,
      ApiKeyRotated: ({ key }) => said`rotated the API key ${mention('key', key)}`,
      ApiKeyRevoked: ({ key }) => said`revoked the API key ${mention('key', key)}`,
    },
  },
})

/** Whether a generation of a key counts at an instant, and until when: `undefined` where it does not. */
export function keyCounts(key: ApiKey, generation: number, at: string): { readonly until?: string } | undefined {
  const { status, expiresAt, earlierUntil } = key
  if (status === 'revoked' || (expiresAt !== undefined && expiresAt <= at)) return undefined
  if (generation === key.generation) return expiresAt === undefined ? {} : { until: expiresAt }
  if (generation !== key.generation - 1 || earlierUntil === undefined || earlierUntil <= at) return undefined
  return { until: expiresAt !== undefined && expiresAt < earlierUntil ? expiresAt : earlierUntil }
}

/** A key of the caller, or any for an administrator. */
function own(state: Keybook, key: string, context: Context): ApiKey {
  const there = memberOf(state.keys, key)
  if (there && (there.owner === context.actor || administers(context))) return there
  throw there ? notYours() : rejected('key_unknown', 'There is no such key.', { key })
}

/** Refuses scopes beyond what the caller may do, so that no key makes, or becomes, one that allows more. */
function mustHold(scopes: readonly string[], { permissions }: Context): void {
  const beyond = scopes.find(scope => !covers(permissions, scope))
  if (beyond === undefined) return
  throw rejected('scope_not_yours', 'A key can allow what you may do yourself, and no more.', { scope: beyond })
}

const notYours = () => rejected('key_not_yours', 'A key is for its owner and for administrators.')
