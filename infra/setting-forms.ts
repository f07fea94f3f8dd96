/** The forms that the values of settings have, each with the words for what they must be. */
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js'
import { z } from 'zod'
import { isAddress } from '../domain/hub/inbox/email.ts'
import { witnessFrom } from '../projections/notary/cosignature.ts'
import { isNetwork } from './webhooks/addresses.ts'

/** The value of an engine's URL that asks for the engine that comes with Kogi. */
export const EMBEDDED = 'embedded'

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine(value => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)

/** Whether it is a URL whose user and password can be decoded. */
function isDecodable(value: string): boolean {
  if (value === EMBEDDED) return true
  try {
    const { username, password } = new URL(value)
    return [username, password].map(decodeURIComponent).length > 0
  } catch {
    return false
  }
}

// Not `URL.canParse` alone: a connection string of a cluster lists several hosts, which no URL does.
const urlOf = (form: RegExp, example: string) =>
  z.string().refine(value => value === EMBEDDED || form.test(value), `must be \`${EMBEDDED}\` or a URL like ${example}`)

/** Options of a connection string that the client of the event store knows. */
const STORE_OPTIONS = new Set(
  (
    'connectionname defaultdeadline discoveryinterval gossiptimeout keepaliveinterval keepalivetimeout ' +
    'maxdiscoverattempts nodepreference throwonappendfailure tls tlscafile tlsverifycert usercertfile userkeyfile'
  ).split(' '),
)

/** The client prints the whole string, with its password, for an option that it has not: so there must be none. */
function hasKnownOptions(value: string): boolean {
  const query = value.split('?').slice(1).join('&')
  return query.split('&').every(option => {
    const [name, given] = option.split('=')
    const flat = name!.trim().toLowerCase().replace(/[_-]/g, '')
    return option === '' || (STORE_OPTIONS.has(flat) && (flat !== 'tlsverifycert' || given?.trim() !== 'false'))
  })
}

/** Whether the client can read it; its errors quote parts of the string, the password among them. */
function isReadable(value: string): boolean {
  if (!value.startsWith('esdb') || !hasKnownOptions(value)) return true
  try {
    return parseConnectionString(value).hosts.length > 0
  } catch {
    return false
  }
}

export const eventStoreUrl = urlOf(/^(esdb|kurrentdb)(\+discover)?:\/\/[^\s/?#]+/, 'esdb://host:2113')
  .refine(
    value => value === EMBEDDED || hasKnownOptions(value),
    'must have options that the client knows alone (for an authority of your own: tlsCAFile, not tlsVerifyCert=false)',
  )
  .refine(
    isReadable,
    'must be a connection string like esdb://user:password@host:2113: percent-encode what is not a letter or a digit ' +
      'in its password',
  )
export const natsUrl = urlOf(/^(nats|tls):\/\/[^\s/?#]+/, 'nats://host:4222').refine(
  isDecodable,
  'must be a valid URL: percent-encode what is not a letter or a digit in its password',
)
export const postgresUrl = urlOf(
  /^postgres(ql)?:\/\/[^\s/?#]+\/[^\s/?#]+/,
  'postgres://user:password@host:5432/database',
).refine(
  value => value === EMBEDDED || URL.canParse(value),
  'must be a valid URL: percent-encode what is not a letter or a digit in its password',
)

/** A bucket's URL has its name as the first part of the path, and the region alone as query. */
function isBucket(value: string): boolean {
  if (!/^https?:\/\/[^\s/?#]+\/[^\s/?#]+/.test(value) || !URL.canParse(value) || !isDecodable(value)) return false
  const { searchParams, username, password, hash } = new URL(value)
  const isWhole = (username === '') === (password === '') && hash === ''
  return isWhole && [...searchParams.keys()].every(name => name === 'region')
}
export const s3Url = z
  .string()
  .refine(
    isBucket,
    'must be a URL like https://key:secret@host/bucket/prefix?region=eu-central-1: percent-encode what is not a ' +
      'letter or a digit in its secret',
  )

export const smtpUrl = z
  .string()
  .refine(
    value => /^smtps?:\/\/[^\s/?#]+/.test(value) && URL.canParse(value),
    'must be a URL like smtp://user:password@host:587',
  )
export const mailAddress = z.string().refine(isAddress, 'must be an e-mail address such as kogi@studio.example')

export const text = z.string().refine(value => value.trim() === value, 'must not begin or end with white space')

export const originList = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(origin => origin.trim())))
  .refine(
    origins => origins.every(origin => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)),
    'must be origins such as https://app.example, separated by commas, or *',
  )

export const networkList = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(network => network.trim())))
  .refine(all => all.every(isNetwork), 'must be networks such as 10.0.0.0/8, separated by commas')

export const fileList = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(file => file.trim())))
  .refine(files => !files.includes(''), 'must be names of files, separated by commas')

/** An address of HTTP has no user and no password: they could not be sent, and would stand in the error. */
function isSafe(value: string): boolean {
  if (!/^https?:/i.test(value)) return true
  if (!URL.canParse(value)) return false
  const { username, password } = new URL(value)
  return username === '' && password === ''
}
/** The address of a server: no path but the root, no query, no user. */
const isOrigin = (value: string) => URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value)
export const httpUrl = z
  .string()
  .transform(value => value.replace(/\/$/, ''))
  .refine(isOrigin, 'must be a URL without path, such as https://kogi.example')

const ADDRESS = 'must be a valid URL without user and password where it is one'
export const fileOrAddress = text.refine(isSafe, ADDRESS)
export const fileOrAddressList = fileList.refine(all => all.every(isSafe), ADDRESS)

const LOG_NAME = /^[^\s+]{1,200}$/
export const logName = z
  .string()
  .refine(value => LOG_NAME.test(value), 'must be a name such as example.com/kogi, without white space and plus signs')

/** A witness: its public key, white space, and its address. */
function isWitness(entry: string): boolean {
  const [key = '', url = '', ...rest] = entry.split(/\s+/)
  if (rest.length > 0 || !/^https?:/.test(url) || !isSafe(url)) return false
  try {
    return witnessFrom(key).name !== ''
  } catch {
    return false
  }
}
export const witnessList = z
  .string()
  .transform(value => (value.trim() === '' ? [] : value.split(',').map(entry => entry.trim())))
  .refine(all => all.every(isWitness), 'must be public keys of witnesses, each with a space and a URL, with commas')
  .transform(all => all.map(entry => entry.split(/\s+/)).map(([key, url]) => ({ key: key!, url: url! })))

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export const streamName = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, 'must have 1 to 32 letters, digits, - and _')

const CONSUMER = /^([A-Za-z0-9_-]{1,32})=(kogi(?:\.(?:\*|[A-Za-z0-9_%-]+)){0,4}(?:\.>)?)$/
export const consumerList = z
  .string()
  .transform(value => (value === '' ? [] : value.split(',').map(text => CONSUMER.exec(text.trim()))))
  .refine(found => !found.includes(null), 'must be like `books=kogi.*.wallet.>`, separated by commas')
  .transform(found => found.map(match => ({ name: match![1]!, filter: match![2]! })))
