/** The webhook's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, list, object, personal, ref, refined, sealed, text } from '../../kernel/schema.ts'

const URL_MAX = 2_000

/** Where events are posted to. Which addresses are reached is the business of who sends. */
const url = refined(
  text(URL_MAX),
  isWebUrl,
  'must be a URL that begins with https:// or http://, without user, password and fragment',
).meta({ description: 'where events are posted to: https, or http to addresses that the configuration allows' })
const description = text(500)
const types = list(text(255), 200, 1).meta({ description: 'only events of these types; all where it is left out' })
const categories = list(text(64), 100, 1).meta({
  description: 'only events of things of these categories; all that its maker may read where it is left out',
})

/** Made by the server: the reply of the command alone shows it, and the log has it sealed under its maker's key. */
const secret = personal('owner', text(64).meta({ readOnly: true }))

/** The patterns of permissions that the maker of a webhook held: what it is sent is bounded by them for ever. */
const grants = list(text(255), 5_000)

export const events = {
  WebhookRegistered: object({
    url,
    description: description.optional(),
    types: types.optional(),
    categories: categories.optional(),
    owner: text(128),
    grants,
    secret: sealed,
  }),
  WebhookChanged: object({ url: url.optional(), description: description.nullable().optional() }),
  WebhookSecretRotated: object({ secret: sealed }),
  WebhookPaused: object({}),
  WebhookResumed: object({}),
  /** Its receiver answered 410, gone: nothing is sent until it is resumed. */
  WebhookDisabled: object({ delivery: id('delivery'), owner: text(128) }),
  WebhookTested: object({}),
  /** `delivery`: the one to be sent again; all that are parked where it is left out. */
  WebhookReplayAsked: object({ delivery: id('delivery').optional() }),
  WebhookRemoved: object({}),
} as const

export const commands = {
  register: object({
    id: id('webhook').optional(),
    url,
    description: description.optional(),
    types: types.optional(),
    categories: categories.optional(),
    secret,
  }).meta({ examples: [{ id: 'hook-1', url: 'https://hooks.example/kogi', categories: ['task', 'project'] }] }),
  change: object({ url: url.optional(), description: description.nullable().optional() }).meta({
    examples: [{ url: 'https://hooks.example/kogi-2' }],
  }),
  rotate: object({ secret }),
  pause: object({}),
  resume: object({}),
  disable: object({ delivery: id('delivery') }),
  test: object({}),
  replay: object({ delivery: ref('delivery').optional() }),
  remove: object({}),
} as const

export const rejections = ['webhook_already_registered', 'webhook_removed'] as const

function isWebUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, hash } = new URL(value)
  return ['https:', 'http:'].includes(protocol) && username === '' && password === '' && hash === ''
}
