import path from 'node:path'
import { z } from 'zod'
import { gatewaySettings } from './gateway/settings.ts'
import { type Environment, type Setting, setting } from './setting.ts'
import {
  consumerList,
  EMBEDDED,
  eventStoreUrl,
  fileList,
  fileOrAddress,
  fileOrAddressList,
  integer,
  LOG_LEVELS,
  logName,
  mailAddress,
  natsUrl,
  networkList,
  originList,
  postgresUrl,
  s3Url,
  smtpUrl,
  streamName,
  text,
  witnessList,
} from './setting-forms.ts'
import { signInSettings } from './sign-in/settings.ts'

export { EMBEDDED }

/** Settings that cannot be used. The message has one line for each variable at fault, with the values that it takes. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Programs: nobody keeps them in a portfolio, and people open what they find there. */
const REFUSED_TYPES = 'application/x-msdownload,application/x-elf,application/x-mach-binary'

/**
 * Every setting of every process, in the order of the README's table. To add one, add a line: its key in `Config`, its
 * check, its default and its meaning all stand there.
 */
const settings = {
  env: setting('KOGI_ENV', z.enum(['development', 'production']), 'development', '', {
    meaning: 'in `production` nothing has a default secret and no embedded engine starts unless it is named',
  }),
  dataDir: setting(
    'KOGI_DATA_DIR',
    text.transform(dir => path.resolve(dir)),
    '.kogi',
    'folder',
    {
      meaning: 'what the embedded engines keep, the development signing key, and search indexes between runs',
    },
  ),
  host: setting('KOGI_HOST', text, '127.0.0.1', '', { meaning: 'address that the HTTP server listens on' }),
  port: setting('KOGI_PORT', integer(0, 65_535), '8080', '', {
    meaning: 'port that the HTTP server listens on; 0 takes a free one',
  }),
  eventStoreUrl: setting('KOGI_EVENTSTORE_URL', eventStoreUrl, EMBEDDED, '', {
    meaning: 'connection string of the event store',
    requiredInProduction: true,
    secret: true,
  }),
  databaseUrl: setting('KOGI_DATABASE_URL', postgresUrl, EMBEDDED, '', {
    meaning: 'PostgreSQL database of the read models',
    requiredInProduction: true,
    secret: true,
  }),
  keysDatabaseUrl: setting('KOGI_KEYS_DATABASE_URL', postgresUrl, EMBEDDED, '', {
    meaning: 'PostgreSQL database of the personal-data keys: another one, with a backup of its own',
    requiredInProduction: true,
    secret: true,
  }),
  masterKeys: setting('KOGI_MASTER_KEYS', fileList, '', 'files', {
    meaning:
      'master keys that the keys of personal data, and of secrets, are wrapped under, separated by commas: files ' +
      'with 32 bytes in base64, `base64:` and the key itself, or `vault:` and the address of a key of the transit ' +
      'engine of HashiCorp Vault (`vault:https://vault.example:8200/transit/kogi`). The first wraps, all unwrap; ' +
      'unless set, the keys of personal data stand in the clear, and production keeps no secrets',
    secret: true,
  }),
  vaultTokenFile: setting('KOGI_VAULT_TOKEN_FILE', text, undefined, 'file', {
    meaning: 'file with the token that Vault is asked with; it is read again when Vault refuses the token',
  }),
  natsUrl: setting('KOGI_NATS_URL', natsUrl, EMBEDDED, '', {
    meaning: 'NATS server of the event bus, which `relay` publishes to; `embedded` is no server',
    secret: true,
  }),
  natsStream: setting('KOGI_NATS_STREAM', streamName, 'KOGI', '', {
    meaning: 'JetStream stream of the events; made where it is absent',
  }),
  natsKeepHours: setting('KOGI_NATS_KEEP_HOURS', integer(0, 1_000_000), '168', 'hours', {
    meaning: 'how long a stream that is made keeps events; 0 keeps them for ever',
  }),
  natsConsumers: setting('KOGI_NATS_CONSUMERS', consumerList, '', '', {
    meaning: 'durable consumers that are made: `name=subject`, separated by commas, such as `books=kogi.*.wallet.>`',
  }),
  jwks: setting('KOGI_JWKS', fileOrAddress, undefined, 'file or URL', {
    meaning:
      'public keys of tokens of other issuers; development makes a key pair. Production needs this or KOGI_ISSUER',
    requiredInProduction: ({ KOGI_ISSUER }) => !KOGI_ISSUER,
    secret: true,
  }),
  jwtIssuer: setting('KOGI_JWT_ISSUER', text, 'kogi-development', '', {
    meaning: 'issuer (`iss`) that a token of another issuer must name; production needs it with KOGI_JWKS',
    requiredInProduction: ({ KOGI_ISSUER, KOGI_JWKS }) => !KOGI_ISSUER || Boolean(KOGI_JWKS),
  }),
  ...signInSettings,
  jwtAudience: setting('KOGI_JWT_AUDIENCE', text, 'kogi', '', {
    meaning: 'audience (`aud`) that a token must name',
    requiredInProduction: true,
  }),
  tokenCacheSize: setting('KOGI_TOKEN_CACHE_SIZE', integer(0, 1_000_000), '10000', 'tokens', {
    meaning: 'verified tokens remembered by each process',
  }),
  logLevel: setting('KOGI_LOG_LEVEL', z.enum(LOG_LEVELS), 'info', '', {
    meaning: `least important line that is logged: ${LOG_LEVELS.join(', ')}`,
  }),
  corsOrigins: setting('KOGI_CORS_ORIGINS', originList, '', 'origins', {
    meaning: 'origins, separated by commas, whose pages may call the API; `*` for all',
  }),
  bodyLimitBytes: setting('KOGI_BODY_LIMIT_BYTES', integer(1_024, 268_435_456), '1048576', 'bytes', {
    meaning: 'largest request body accepted',
  }),
  filesDir: setting('KOGI_FILES_DIR', text, undefined, 'folder', {
    meaning: 'where files of items are kept, the same for all processes; unless set, `files` in the data folder',
  }),
  s3Url: setting('KOGI_S3_URL', s3Url, undefined, '', {
    meaning:
      'bucket of S3, or of a server that speaks its protocol, where files of items are kept instead: ' +
      '`https://key:secret@host/bucket/prefix?region=eu-central-1`; without key and secret the AWS SDK finds them',
    secret: true,
  }),
  fileBytesMax: setting('KOGI_FILE_MAX_BYTES', integer(1, 1_000_000_000_000), '104857600', 'bytes', {
    meaning: 'largest file that may be uploaded',
  }),
  fileTypesRefused: setting('KOGI_FILE_TYPES_REFUSED', fileList, REFUSED_TYPES, 'media types', {
    meaning: 'media types, separated by commas, of which no file may be, as its content says',
  }),
  requestTimeoutMs: setting('KOGI_REQUEST_TIMEOUT_MS', integer(100, 3_600_000), '60000', 'ms', {
    meaning: 'time that a client has to send its whole request',
  }),
  connectionRequests: setting('KOGI_CONNECTION_REQUESTS', integer(1, 1_000), '8', 'requests', {
    meaning: 'requests of one connection that are worked on at once; what is sent behind them waits in the socket',
  }),
  readsAtOnce: setting('KOGI_READS_AT_ONCE', integer(1, 1_000), undefined, 'reads', {
    meaning: 'reads that a process works on at once; unless set, as many as it has connections to the database',
  }),
  readsAtOncePerOrg: setting('KOGI_READS_AT_ONCE_PER_ORG', integer(1, 1_000), undefined, 'reads', {
    meaning: 'how many of them may be of one organization; unless set, three in four',
  }),
  readQueue: setting('KOGI_READ_QUEUE', integer(0, 100_000), undefined, 'reads', {
    meaning:
      'reads that wait for their turn, and reads that wait for a position; more answer 429. Unless set, 16 for each ' +
      'read at once; three in four may be of one organization',
  }),
  readQueueMs: setting('KOGI_READ_QUEUE_MS', integer(1, 60_000), '2000', 'ms', {
    meaning: 'longest time that a read waits for its turn before the answer is 429',
  }),
  liveConnections: setting('KOGI_LIVE_CONNECTIONS', integer(1, 1_000_000), '2000', 'connections', {
    meaning: 'live connections (event streams and WebSockets) of a process; more answer 429',
  }),
  liveConnectionsPerOrg: setting('KOGI_LIVE_CONNECTIONS_PER_ORG', integer(1, 1_000_000), undefined, 'connections', {
    meaning: 'how many of them may be of one organization; unless set, three in four',
  }),
  liveHeartbeatMs: setting('KOGI_LIVE_HEARTBEAT_MS', integer(100, 600_000), '15000', 'ms', {
    meaning: 'time between signs of life on a live connection',
  }),
  liveBufferBytes: setting('KOGI_LIVE_BUFFER_BYTES', integer(1_024, 67_108_864), '262144', 'bytes', {
    meaning: 'bytes that may wait for a live client before it is given no more; it goes on from where it was',
  }),
  liveSlowMs: setting('KOGI_LIVE_SLOW_MS', integer(100, 600_000), '10000', 'ms', {
    meaning: 'time that a live client may take nothing of what waits for it before its connection is ended',
  }),
  webhookNetworks: setting('KOGI_WEBHOOK_NETWORKS', networkList, '', 'networks', {
    meaning:
      'private networks, separated by commas, that webhooks may be sent to, by http too; else public ones by https',
  }),
  smtpUrl: setting('KOGI_SMTP_URL', smtpUrl, undefined, '', {
    meaning:
      'mail server that the worker sends notifications by: `smtp://` or `smtps://`; unless set, none is e-mailed',
    secret: true,
  }),
  mailFrom: setting('KOGI_MAIL_FROM', mailAddress, undefined, '', {
    meaning: 'address that e-mails come from; needed with KOGI_SMTP_URL',
  }),
  ...gatewaySettings,
  notaryOrigin: setting('KOGI_NOTARY_ORIGIN', logName, 'kogi.local', '', {
    meaning: 'name of the log in its signed checkpoints: a domain and a path of yours, such as `example.com/kogi`',
  }),
  notaryKeys: setting('KOGI_NOTARY_KEYS', fileList, '', 'files', {
    meaning:
      'private Ed25519 keys in PEM that checkpoints are signed with, separated by commas; development makes one in ' +
      'the data folder, and production seals nothing without',
    secret: true,
  }),
  notaryAnchors: setting('KOGI_NOTARY_ANCHORS', fileOrAddressList, '', 'files and URLs', {
    meaning:
      'files and http(s) addresses, separated by commas, that get every signed checkpoint: best where nobody who can ' +
      'change the log can change them; development has a file in the data folder',
    secret: true,
  }),
  notaryWitnesses: setting('KOGI_NOTARY_WITNESSES', witnessList, '', 'keys and URLs', {
    meaning:
      'witnesses (C2SP tlog-witness) that are asked for cosignatures, separated by commas: the public key of each, a ' +
      'space, and its address, such as `witness.example/w1+jWbPPwAE… https://witness.example/`',
  }),
  provedModels: setting('KOGI_PROVED_MODELS', fileList, '', 'read models', {
    meaning: 'read models, separated by commas, whose rows can be read with a proof, such as `balances`',
  }),
  drainTimeoutMs: setting('KOGI_DRAIN_TIMEOUT_MS', integer(0, 3_600_000), '10000', 'ms', {
    meaning: 'time that requests in flight have to finish once a process is asked to stop',
  }),
  appendTimeoutMs: setting('KOGI_APPEND_TIMEOUT_MS', integer(10, 600_000), '5000', 'ms', {
    meaning: 'time to wait for the answer of one append before its outcome counts as unknown',
  }),
  databasePoolSize: setting('KOGI_DATABASE_POOL_SIZE', integer(1, 1_000), '10', 'connections', {
    meaning: 'PostgreSQL connections of each process, for each database',
  }),
  databaseConnectTimeoutMs: setting('KOGI_DATABASE_CONNECT_TIMEOUT_MS', integer(10, 600_000), '5000', 'ms', {
    meaning: 'time to wait for a PostgreSQL connection before the engine counts as down',
  }),
  databaseStatementTimeoutMs: setting('KOGI_DATABASE_STATEMENT_TIMEOUT_MS', integer(0, 3_600_000), '30000', 'ms', {
    meaning: 'longest time that one SQL statement of a read may run; 0 sets no limit',
  }),
} as const

type Settings = typeof settings

/** The configuration of a process, checked and typed. The environment is read nowhere else. */
export type Config = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never }

/** One row of the README's configuration table. */
export type SettingRow = Readonly<Record<'variable' | 'default' | 'unit' | 'meaning', string>>

/** The rows of the README's configuration table, made from the same list that the environment is checked against. */
export const settingRows: readonly SettingRow[] = Object.values(settings).map(
  ({ variable, default: value, requiredInProduction, unit, meaning }) => ({
    variable,
    default: (value || 'none') + (requiredInProduction ? ' (production: required)' : ''),
    unit,
    meaning,
  }),
)

/** The settings by variable, without those whose values may hold a password. */
export const publicSettings = (config: Config): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([, { secret }]) => !secret)
      .map(([key, { variable }]) => [variable, config[key as keyof Config] ?? null]),
  )

/** Reads the settings from an environment. Throws a `ConfigError` that names every variable at fault. */
export function loadConfig(environment: Environment = process.env): Config {
  const production = environment.KOGI_ENV === 'production'
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, { variable, schema, default: byDefault, requiredInProduction, secret }] of Object.entries(
    settings,
  )) {
    const given = environment[variable] || undefined
    const isRequired =
      typeof requiredInProduction === 'function' ? requiredInProduction(environment) : requiredInProduction
    if (given === undefined && production && isRequired) {
      faults.push(`${variable} must be set in production mode: ${settings[key as keyof Settings].meaning}`)
      continue
    }
    const value = given ?? byDefault
    const parsed = value === undefined ? { success: true as const, data: undefined } : schema.safeParse(value)
    if (parsed.success) values[key] = parsed.data
    else faults.push(`${variable} ${fault(parsed.error)}${secret ? '' : `, not ${JSON.stringify(value)}`}`)
  }
  if (faults.length === 0) faults.push(...contradictions(values as Config))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return Object.freeze(values as Config)
}

/** Faults that only two settings together show. */
function contradictions(config: Config): string[] {
  if (config.smtpUrl !== undefined && config.mailFrom === undefined) {
    return ['KOGI_MAIL_FROM must be set with KOGI_SMTP_URL: it is the address that e-mails come from']
  }
  const { databaseUrl, keysDatabaseUrl, readsAtOnce = 0, databasePoolSize, tlsCert, tlsKey } = config
  if (!tlsCert !== !tlsKey) return ['KOGI_TLS_CERT and KOGI_TLS_KEY must be set together']
  if (readsAtOnce > databasePoolSize) {
    return ['KOGI_READS_AT_ONCE must not be more than KOGI_DATABASE_POOL_SIZE: the rest would wait for a connection']
  }
  if (databaseUrl === EMBEDDED || keysDatabaseUrl === EMBEDDED) return []
  const [rows, keys] = [new URL(databaseUrl), new URL(keysDatabaseUrl)]
  if (rows.host !== keys.host || rows.pathname !== keys.pathname) return []
  return ['KOGI_KEYS_DATABASE_URL must name another database than KOGI_DATABASE_URL: keys are kept apart from the rows']
}

function fault(error: z.ZodError): string {
  const issue = error.issues[0]!
  return issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message
}
