/** The settings that there are; that of the user counts, else that of the organization, else that of the platform. */
import { rejected } from '../kernel/errors.ts'
import { id, refined, text } from '../kernel/schema.ts'
import { isZone } from '../time/zone.ts'
import { type Keyed, memberOf, withMember, withoutMember } from './keyed.ts'

/** Who may say what counts for whom. */
export const LEVELS = ['platform', 'organization', 'user'] as const
export type Level = (typeof LEVELS)[number]

type Definition = {
  readonly key: string
  /** What counts where nobody has said anything. */
  readonly default: string
  readonly levels: readonly Level[]
  /** The form of its values, for people, and the check. */
  readonly form: string
  readonly is: (value: string) => boolean
  readonly meaning: string
}

const oneOf = (...words: readonly string[]) => ({
  form: words.join(', '),
  is: (value: string) => words.includes(value),
})
const number = (min: number, max: number) => ({
  form: `a whole number from ${min} to ${max}`,
  is: (value: string) => /^(0|[1-9][0-9]{0,8})$/.test(value) && Number(value) >= min && Number(value) <= max,
})
const matching = (pattern: RegExp, form: string) => ({ form, is: (value: string) => pattern.test(value) })

const ALL = LEVELS
const OF_ORGANIZATION = ['platform', 'organization'] as const

/** Every setting, in the order in which they are shown. Append-only: events hold their keys. */
export const SETTINGS: readonly Definition[] = [
  { key: 'locale', default: 'en', levels: ALL, form: 'a language tag (BCP 47)', is: isLocale, meaning: 'language' },
  { key: 'time_zone', default: 'UTC', levels: ALL, form: 'a zone (IANA)', is: isZone, meaning: 'zone of times' },
  { key: 'week_start', default: 'monday', levels: ALL, ...oneOf('monday', 'saturday', 'sunday'), meaning: 'first day' },
  { key: 'clock', default: '24h', levels: ALL, ...oneOf('24h', '12h'), meaning: 'how times are written' },
  { key: 'theme', default: 'system', levels: ALL, ...oneOf('system', 'light', 'dark'), meaning: 'colours' },
  {
    key: 'currency',
    default: 'EUR',
    levels: ALL,
    ...matching(/^[^\s\p{C}]{1,32}$/u, 'an ISO 4217 code, or a symbol'),
    meaning: 'currency that sums are shown in',
  },
  {
    key: 'fiscal_year_start',
    default: '01-01',
    levels: OF_ORGANIZATION,
    ...matching(/^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$/, 'month and day, MM-DD, up to the 28th'),
    meaning: 'first day of the financial year',
  },
  { key: 'page_size', default: '20', levels: ALL, ...number(1, 500), meaning: 'rows of a page in clients' },
  {
    key: 'support_contact',
    default: '',
    levels: OF_ORGANIZATION,
    ...matching(/^[^\p{C}]{1,200}$/u, 'up to 200 characters'),
    meaning: 'whom users ask for help',
  },
]

const byKey = new Map(SETTINGS.map(setting => [setting.key, setting]))

export const settingKey = id('setting').meta({ examples: ['locale'] })
export const settingValue = text(1_000).meta({ description: 'as a text, in the form of the setting' })

/** Values by key. */
export type Values = Keyed<string>

/** Refuses a value that the setting cannot have, or that is not said at this level; codes begin with `of`. */
export function mustFit(key: string, value: string, level: Level, of = ''): void {
  const setting = byKey.get(key)
  if (!setting)
    throw rejected(`${of}setting_unknown`, 'There is no such setting: GET /kmg/settings lists them.', { key })
  if (!setting.levels.includes(level)) {
    throw rejected(`${of}setting_not_here`, 'The setting is not one of this level.', {
      key,
      levels: setting.levels.join(', '),
    })
  }
  if (!setting.is(value))
    throw rejected(`${of}setting_invalid`, 'The value has not the form of the setting.', { form: setting.form })
}

export const withValue = (values: Values, key: string, value: string | undefined): Values =>
  value === undefined ? withoutMember(values, key) : withMember(values, key, value)

/** What counts, and who has said it. */
export type Effective = { readonly value: string; readonly from: Level | 'default' }

/** Resolves one setting: the first of user, organization and platform that has a value for it, else the default. */
export function effectiveOf(
  { key, default: byDefault }: Pick<Definition, 'key' | 'default'>,
  values: Readonly<Record<Level, Values>>,
): Effective {
  for (const level of ['user', 'organization', 'platform'] as const) {
    const value = memberOf(values[level], key)
    if (value !== undefined) return { value, from: level }
  }
  return { value: byDefault, from: 'default' }
}

function isLocale(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value)[0] === value
  } catch {
    return false
  }
}

const FLAG = /^[a-z][a-z0-9_-]{0,63}$/
export const flagName = refined(
  text(64).meta({ pattern: '^[a-z][a-z0-9_-]{0,63}$' }),
  name => FLAG.test(name),
  'must be lower-case letters, digits, _ and -, a letter first',
).meta({ description: 'the name of the flag' })

/** For whom something is there: for the users that are listed, and for a share of all others. */
export type Flag = { readonly percent: number; readonly users: readonly string[] }

/** Whether a flag is on for a user: always the same answer for the same share, and a larger share takes nobody out. */
export const isOn = (name: string, { percent, users }: Flag, user: string): boolean =>
  users.includes(user) || placeOf(`${name}\0${user}`) < percent

/** A place from 0 to 99, by the FNV-1a hash. */
function placeOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % 100
}
