/** Which settings, flags and quotas count for whom, what users are told, and what operators have done. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type Json, toWire } from '../../domain/kernel/json.ts'
import type { ApiRequest, Principal, Route } from '../../domain/kernel/route.ts'
import { QUOTAS } from '../../domain/platform/platform/messages.ts'
import {
  effectiveOf,
  type Flag,
  isOn,
  LEVELS,
  type Level,
  SETTINGS,
  type Values,
} from '../../domain/record/settings.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { asOfErrors, asOfParameter, instantOf } from '../as-of.ts'
import { inQuery, isPosition, queriesOf, whole } from '../parameters.ts'

type Flags = Readonly<Record<string, Flag>>

/** A moment of the log: up to a position, or up to an instant. */
export type Moment = { readonly position: bigint } | { readonly instant: string }

export type SettingsDeps = {
  /** What each level has said, by now or up to a moment. */
  readonly values: (of: { org: string; user: string }, then?: Moment) => Promise<Readonly<Record<Level, Values>>>
  readonly flags: (org: string) => Promise<{ readonly organization: Flags; readonly platform: Flags }>
  /** How much an organization may have, `undefined` where there is no limit. */
  readonly limit: (org: string, quota: (typeof QUOTAS)[number]) => Promise<number | undefined>
  readonly notices: () => Promise<Told>
  /** All that operators have done, in order. */
  readonly acts: () => Promise<readonly DomainEvent[]>
  readonly allows: (principal: Principal, permission: string) => boolean
  readonly now: () => string
}

type Told = {
  readonly maintenance?: { readonly message: string; readonly since: string; readonly until?: string } | undefined
  readonly announcements: Readonly<
    Record<string, { message: string; severity: string; from?: string | undefined; until?: string | undefined }>
  >
}

const userParameter = inQuery('user', subjectName, 'for this user; for the caller where it is left out')
const asOf = {
  ...asOfParameter,
  description: 'answer as it was then: a position, or a timestamp, which counts for all that was said up to it',
}
const ASKED_OTHERS = 'settings.values.read'

const settingRow = z
  .strictObject({
    key: z.string(),
    value: z.string().meta({ description: 'what counts' }),
    from: z.enum([...LEVELS, 'default']).meta({ description: 'who has said it' }),
    default: z.string(),
    levels: z.array(z.enum(LEVELS)).meta({ description: 'who can say it' }),
    form: z.string().meta({ description: 'the form of its values' }),
    meaning: z.string(),
  })
  .meta({ title: 'Setting' })

const flagRow = z
  .strictObject({
    flag: z.string(),
    on: z.boolean().meta({ description: 'whether it is on for the user' }),
    percent: z.int().meta({ description: 'share of all users for whom it is on' }),
    from: z.enum(['platform', 'organization']),
  })
  .meta({ title: 'Flag' })

const quotaRow = z
  .strictObject({
    quota: z.enum(QUOTAS),
    limit: z.int().nullable().meta({ description: 'null where there is none' }),
  })
  .meta({ title: 'Quota' })

const notices = z
  .strictObject({
    maintenance: z
      .strictObject({ message: z.string(), since: z.string(), until: z.string().optional() })
      .optional()
      .meta({ description: 'there while commands are refused' }),
    announcements: z.array(
      z.strictObject({
        announcement: z.string(),
        message: z.string(),
        severity: z.enum(['info', 'warning']),
        from: z.string().optional(),
        until: z.string().optional(),
      }),
    ),
  })
  .meta({ title: 'Notices' })

const act = z
  .strictObject({
    position: z.string(),
    type: z.string(),
    at: z.string(),
    by: z.string().meta({ description: 'the operator' }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ title: 'OperatorAct' })

const shared = { method: 'GET', tag: 'kmg', permission: 'signed in' } as const
const ACTS_MAX = 500

/** The routes. All of them answer from the log, so that what was set a moment ago counts. */
export function settingsRoutes(deps: SettingsDeps): Route[] {
  const ofSettings = [userParameter, asOf]
  const ofActs = [inQuery('limit', whole(1, ACTS_MAX, 50), 'so many, the latest first')]
  return [
    {
      ...shared,
      path: '/kmg/settings',
      operationId: 'listSettings',
      summary: 'Every setting with the value that counts for a user, now or as of a time, and who has said it.',
      parameters: ofSettings,
      response: z.array(settingRow),
      errors: { ...asOfErrors, 403: ['forbidden'] },
      handle: async request => ({ data: await settingsOf(deps, request, queriesOf(request, ofSettings)) }),
    },
    {
      ...shared,
      path: '/kmg/flags',
      operationId: 'listFlags',
      summary:
        'Every feature flag, and whether it is on for a user: flags of the organization come before the platform’s.',
      parameters: [userParameter],
      response: z.array(flagRow),
      errors: { 403: ['forbidden'] },
      handle: async request => ({ data: await flagsOf(deps, request, queriesOf(request, [userParameter])) }),
    },
    {
      ...shared,
      path: '/kmg/quotas',
      operationId: 'listQuotas',
      summary: 'What the organization may use.',
      parameters: [],
      response: z.array(quotaRow),
      errors: {},
      async handle(request) {
        queriesOf(request, [])
        const limits = QUOTAS.map(quota => deps.limit(request.principal.org, quota))
        const found = await Promise.all(limits)
        return { data: QUOTAS.map((quota, n) => ({ quota, limit: found[n] ?? null })) }
      },
    },
    {
      ...shared,
      path: '/kmg/notices',
      operationId: 'getNotices',
      summary: 'What operators tell users at the moment: maintenance, and announcements.',
      parameters: [],
      response: notices,
      errors: {},
      async handle(request) {
        queriesOf(request, [])
        return { data: noticesOf(await deps.notices(), deps.now()) }
      },
    },
    {
      ...shared,
      path: '/kmg/platform/acts',
      permission: 'platform.settings.read',
      operationId: 'listOperatorActs',
      summary: 'What operators have set, blocked and announced, the latest first.',
      parameters: ofActs,
      response: z.array(act),
      errors: { 503: ['engine_unavailable'] },
      async handle(request) {
        const { limit = '50' } = queriesOf(request, ofActs)
        return { data: (await deps.acts()).slice(-Number(limit)).reverse().map(actOf) }
      },
    },
  ]
}

type Query = Readonly<Record<string, string | undefined>>

/** The user that is asked about. Throws `forbidden` for callers who may not ask about others. */
function userOf({ allows }: SettingsDeps, { principal }: ApiRequest, { user = principal.subject }: Query): string {
  if (user === principal.subject || allows(principal, ASKED_OTHERS)) return user
  throw new KogiError('forbidden', 'The token does not allow to ask about others.', [
    { field: 'permission', message: ASKED_OTHERS },
  ])
}

async function settingsOf(deps: SettingsDeps, request: ApiRequest, query: Query) {
  const user = userOf(deps, request, query)
  const then = query.as_of === undefined ? undefined : momentOf(query.as_of, deps.now())
  const values = await deps.values({ org: request.principal.org, user }, then)
  return SETTINGS.map(({ is: _, ...setting }) => ({ ...setting, ...effectiveOf(setting, values) }))
}

function momentOf(then: string, now: string): Moment {
  if (isPosition(then)) return { position: BigInt(then) }
  const instant = instantOf(then)!
  if (instant <= now) return { instant }
  throw new KogiError('as_of_beyond_head', `The time ${then} is still to come.`, [{ field: 'as_of', message: then }])
}

async function flagsOf(deps: SettingsDeps, request: ApiRequest, query: Query) {
  const user = userOf(deps, request, query)
  const said = await deps.flags(request.principal.org)
  const names = [...new Set([...Object.keys(said.platform), ...Object.keys(said.organization)])].sort()
  return names.map(flag => {
    const from = Object.hasOwn(said.organization, flag) ? ('organization' as const) : ('platform' as const)
    const found = said[from][flag]!
    return { flag, on: isOn(flag, found, user), percent: found.percent, from }
  })
}

function noticesOf({ maintenance, announcements }: Told, now: string) {
  const shown = Object.entries(announcements)
    .filter(([, { from = '', until }]) => from <= now && (until === undefined || until > now))
    .map(([announcement, data]) => ({ announcement, ...data }))
  return { ...(maintenance && { maintenance }), announcements: shown }
}

const actOf = ({ position, type, data, metadata: { at, actor } }: DomainEvent) => ({
  position: String(position),
  type,
  at,
  by: actor.subject,
  data: toWire(data as object) as Json,
})
