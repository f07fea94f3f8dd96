import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import { KogiError } from '../../domain/kernel/errors.ts'
import { ORG_ID } from '../../domain/kernel/schema.ts'
import { ROLES } from '../../domain/kernel/service.ts'
import { type Config, ConfigError } from '../config.ts'
import { isRole } from './permissions.ts'

const generate = promisify(generateKeyPair)
const MODULUS_BITS = 2_048

type KeyConfig = Pick<Config, 'env' | 'dataDir' | 'jwks' | 'jwtIssuer' | 'jwtAudience'>

/** A signing key for development, and the file that its public half is published in. */
export type DevKeys = { readonly privateKey: KeyObject; readonly kid: string; readonly jwksFile: string }

/**
 * The development key pair in `<data>/auth/`, made on first use; of several processes that start at once one wins and
 * the others take its key. Refuses in production, because a reader of that folder can sign a token for any subject.
 */
export async function devKeys(config: KeyConfig): Promise<DevKeys> {
  if (config.env === 'production') {
    throw new ConfigError(
      'Development keys do not exist in production mode: KOGI_JWKS names the keys of your identity provider',
    )
  }
  const folder = path.join(config.dataDir, 'auth')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const privateKey = await privateKeyIn(folder)
  const jwk = await exportJWK(createPublicKey(privateKey))
  const kid = await calculateJwkThumbprint(jwk)
  const jwksFile = path.join(folder, 'jwks.json')
  const text = `${JSON.stringify({ keys: [{ ...jwk, kid, use: 'sig', alg: 'RS256' }] }, null, 2)}\n`
  if ((await readFile(jwksFile, 'utf8').catch(() => '')) !== text) await replace(jwksFile, text)
  return { privateKey, kid, jwksFile }
}

/** Where tokens of other issuers are checked against: what the configuration names, else the development keys. */
export async function jwksSource(config: KeyConfig): Promise<string | undefined> {
  if (config.jwks !== undefined || config.env === 'production') return config.jwks
  return (await devKeys(config)).jwksFile
}

/** Issues a development token. Organization, subject and roles must be such as a request's token may have. */
export async function issueToken(
  config: KeyConfig,
  claims: { org: string; subject: string; roles: readonly string[]; teams?: readonly string[]; ttlSeconds: number },
): Promise<string> {
  const { org, subject, roles, teams = [], ttlSeconds } = claims
  const unknown = roles.find(role => !isRole(role))
  const refused = (message: string) => new KogiError('invalid_parameter', message)
  if (unknown !== undefined) {
    throw refused(`No such role: ${unknown}. The roles are ${ROLES.join(', ')}.`)
  }
  if (!ORG_ID.test(org)) throw refused(`Not an organization id: ${org}. It is 1 to 64 letters, digits and . _ ~ -`)
  if (subject === '' || subject.length > 128) throw refused('A subject has 1 to 128 characters.')
  const { privateKey, kid } = await devKeys(config)
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ org_id: org, roles: [...roles], ...(teams.length > 0 && { groups: [...teams] }) })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
    .setSubject(subject)
    .setIssuer(config.jwtIssuer)
    .setAudience(config.jwtAudience)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(privateKey)
}

/** The command that prints a development token for the keys of a data folder. */
export const tokenCommandOf = ({ dataDir }: Pick<Config, 'dataDir'>): string =>
  `npm run --silent kogi -- token --org acme --subject mira --role organization-admin --data ${dataDir}`

/** How a person gets a token that this system takes, a sentence of Markdown. */
export const tokenAdvice = (config: Pick<Config, 'dataDir' | 'jwks' | 'jwtIssuer'>): string =>
  config.jwks === undefined
    ? `In development \`${tokenCommandOf(config)}\` prints one.`
    : `From the issuer \`${config.jwtIssuer}\`.`

async function privateKeyIn(folder: string): Promise<KeyObject> {
  const file = path.join(folder, 'signing-key.pem')
  const existing = await readFile(file, 'utf8').catch(() => undefined)
  if (existing) return createPrivateKey(existing)
  const { privateKey } = await generate('rsa', { modulusLength: MODULUS_BITS })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  try {
    await link(draft, file) // A link is made whole or not at all, and never replaces another process's key.
    return privateKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return createPrivateKey(await readFile(file, 'utf8'))
  } finally {
    await rm(draft, { force: true })
  }
}

async function replace(file: string, text: string) {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o644 })
  await rename(draft, file)
}
