/** The settings of the gateway, each as in `config.ts`. */
import { z } from 'zod'
import { setting } from '../setting.ts'
import { integer, postgresUrl, text } from '../setting-forms.ts'

const RULE = /^(caller|org|address|\/[\w/:-]{1,200})=([1-9]\d{0,8})\/([1-9]\d{0,6})$/
/** What is counted, how many requests it may send, and in how many seconds. */
export type RateRule = { readonly of: string; readonly limit: number; readonly seconds: number }

const rateRules = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(rule => RULE.exec(rule.trim()))))
  .refine(found => !found.includes(null), 'must be like `caller=1200/60,/kwlt/wallets=600/60`, separated by commas')
  .transform(found =>
    found.map((match): RateRule => ({ of: match![1]!, limit: Number(match![2]), seconds: Number(match![3]) })),
  )

/** The rules of a text. Throws a `ZodError` where it is none. */
export const rateRulesOf = (text: string): readonly RateRule[] => rateRules.parse(text)

/** It speaks HTTP without TLS with the processes behind it, and passes paths on as they are. */
const upstreamUrl = text.refine(
  value => URL.canParse(value) && new URL(value).href === `http://${new URL(value).host}/`,
  'must be like `http://10.0.0.5:8081`: http, without a path, a user or a query',
)

const DAY = '\\d{4}-\\d{2}-\\d{2}'
const SUNSET = new RegExp(`^(v\\d{1,3})=(${DAY})/(${DAY})$`)
const sunsets = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(entry => SUNSET.exec(entry.trim()))))
  .refine(
    found => found.every(match => match?.slice(2).every(day => !Number.isNaN(Date.parse(day)))),
    'must be like `v1=2027-01-31/2028-01-31`: a version, since when it is deprecated, and when it ends',
  )
  .transform(found => found.map(match => ({ version: match![1]!, since: match![2]!, ends: match![3]! })))

export const gatewaySettings = {
  gatewayPort: setting('KOGI_GATEWAY_PORT', integer(0, 65_535), undefined, '', {
    meaning: 'port on which `dev` serves the gateway as well; unless set, it does not',
  }),
  gatewayCommands: setting('KOGI_GATEWAY_COMMANDS', upstreamUrl, 'http://127.0.0.1:8081', 'URL', {
    meaning: 'where the gateway sends commands, by http',
  }),
  gatewayReads: setting('KOGI_GATEWAY_READS', upstreamUrl, 'http://127.0.0.1:8082', 'URL', {
    meaning: 'where the gateway sends reads and WebSockets, by http',
  }),
  gatewayTimeoutMs: setting('KOGI_GATEWAY_TIMEOUT_MS', integer(100, 3_600_000), '60000', 'ms', {
    meaning:
      'time that a process behind the gateway has to begin its answer once the request is there, and that a client ' +
      'may send nothing of its body: longer than the longest `wait`',
  }),
  gatewayAtOnce: setting('KOGI_GATEWAY_AT_ONCE', integer(1, 100_000), '512', 'requests', {
    meaning:
      'requests that wait at once for the answer of one process behind the gateway; as many wait behind them. An org ' +
      'or an address has a quarter of these',
  }),
  gatewayBodyBytes: setting('KOGI_GATEWAY_BODY_BYTES', integer(0, 1_000_000_000_000), '0', 'bytes', {
    meaning: 'longest body that the gateway passes on; 0 leaves that to the processes behind it',
  }),
  gatewayAnswerBytes: setting('KOGI_GATEWAY_ANSWER_BYTES', integer(0, 1_000_000_000_000), '0', 'bytes', {
    meaning: 'longest answer that the gateway passes on, cut off beyond; 0 sets no limit. Live streams have none',
  }),
  rateLimits: setting('KOGI_RATE_LIMITS', rateRules, 'caller=6000/60,org=60000/60,address=600/60', 'requests/seconds', {
    meaning:
      'what the gateway lets through, separated by commas: of each `caller` (the user of a token, or an API key), ' +
      'each `org`, each `address` without a token that counts, and each org on all paths below one (`/kwlt/wallets`)',
  }),
  rateLimitsUrl: setting('KOGI_RATE_LIMITS_URL', postgresUrl, undefined, '', {
    meaning: 'PostgreSQL database in which gateways count together; unless set, each one counts by itself',
    secret: true,
  }),
  tlsCert: setting('KOGI_TLS_CERT', text, undefined, 'file', {
    meaning: 'certificate chain in PEM that the gateway serves with, read again when it changes; http unless set',
  }),
  tlsKey: setting('KOGI_TLS_KEY', text, undefined, 'file', { meaning: 'private key of that certificate, in PEM' }),
  apiSunsets: setting('KOGI_API_SUNSETS', sunsets, '', 'days', {
    meaning:
      'versions of the API that will end, separated by commas, such as `v1=2027-01-31/2028-01-31`: the gateway says ' +
      'since when in `Deprecation` (RFC 9745) and when in `Sunset` (RFC 8594)',
  }),
} as const
