/**
 * A master key that never leaves the transit engine of HashiCorp Vault (or of OpenBao, which has the same API): Vault
 * encrypts and decrypts the keys of persons with it.
 *
 * Source: https://developer.hashicorp.com/vault/api-docs/secret/transit (encrypt and decrypt data, `batch_input`).
 */
import { readFile } from 'node:fs/promises'
import { KogiError } from '../domain/kernel/errors.ts'
import { ConfigError } from './config.ts'
import type { MasterKey } from './master-key.ts'

const TIMEOUT_MS = 5_000
/** Keys in one request. */
const BATCH_MAX = 250

type Item = {
  readonly input: Readonly<Record<string, string>>
  readonly done: (result: Result) => void
  readonly failed: (error: unknown) => void
}
type Result = { readonly ciphertext?: string; readonly plaintext?: string; readonly error?: string }
type Work = 'encrypt' | 'decrypt'
type Place = { readonly address: string; readonly mount: string; readonly key: string; readonly namespace?: string }

/**
 * The key at an address: `https://vault.example:8200/<mount>/<key>`, with `?namespace=` where there are namespaces. It
 * must be of a type that authenticates what stands beside the text, such as `aes256-gcm96`. Throws a `ConfigError`.
 */
export function transitKey(address: string, number: number, tokenFile: string | undefined): MasterKey {
  const place = placeIn(address, number)
  if (tokenFile === undefined) {
    throw new ConfigError(`KOGI_VAULT_TOKEN_FILE must be set for entry ${number} of KOGI_MASTER_KEYS`)
  }
  const ask = together(work => send(place, tokenFile, work))
  const away = (why: string) => unavailable(place, why)
  return {
    name: `vault:${place.namespace === undefined ? '' : `${place.namespace}/`}${place.mount}/${place.key}`,
    async wrap(bound, secret) {
      const given = { plaintext: secret.toString('base64'), associated_data: bound.toString('base64') }
      const { ciphertext, error } = await ask('encrypt', given)
      if (error) throw away(`does not wrap a key (${error})`)
      if (typeof ciphertext !== 'string' || !ciphertext.startsWith('vault:')) throw away('answers without a ciphertext')
      return Buffer.from(ciphertext)
    },
    async unwrap(bound, wrapped) {
      const given = { ciphertext: wrapped.toString(), associated_data: bound.toString('base64') }
      const { plaintext, error } = await ask('decrypt', given)
      if (error) throw away(`does not unwrap a key (${error})`)
      if (typeof plaintext !== 'string') throw away('answers without a text')
      return Buffer.from(plaintext, 'base64')
    },
  }
}

function placeIn(address: string, number: number): Place {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const parts = url?.pathname.split('/').filter(part => part !== '') ?? []
  const key = parts.pop()
  const isPlain = url && url.username === '' && url.password === '' && url.hash === ''
  if (!isPlain || !/^https?:$/.test(url.protocol) || key === undefined || parts.length === 0) {
    throw new ConfigError(
      `KOGI_MASTER_KEYS: entry ${number} must be like vault:https://vault.example:8200/transit/kogi, with no token`,
    )
  }
  const namespace = url.searchParams.get('namespace')
  return { address: url.origin, mount: parts.join('/'), key, ...(namespace !== null && { namespace }) }
}

const unavailable = ({ address, mount, key }: Place, why: string, cause?: unknown) =>
  new KogiError('engine_unavailable', `The master key ${mount}/${key} of Vault at ${address} ${why}.`, [], { cause })

/** What is asked for in one turn of the event loop goes out together. */
function together(sendAll: (work: Work) => (inputs: readonly Item['input'][]) => Promise<readonly Result[]>) {
  const waiting: Record<Work, Item[]> = { encrypt: [], decrypt: [] }
  const flush = async (work: Work) => {
    const all = waiting[work]
    waiting[work] = []
    for (let at = 0; at < all.length; at += BATCH_MAX) {
      const items = all.slice(at, at + BATCH_MAX)
      try {
        const results = await sendAll(work)(items.map(({ input }) => input))
        for (const [n, { done }] of items.entries()) done(results[n]!)
      } catch (error) {
        for (const { failed } of items) failed(error)
      }
    }
  }
  return (work: Work, input: Item['input']): Promise<Result> =>
    new Promise<Result>((done, failed) => {
      if (waiting[work].push({ input, done, failed }) === 1) setImmediate(() => void flush(work))
    })
}

/** Asks with the token in the file, and once more with what stands there then, where Vault refuses the token. */
const send = (place: Place, tokenFile: string, work: Work) => {
  let token: string | undefined
  return async (inputs: readonly Item['input'][]): Promise<readonly Result[]> => {
    for (const isLast of [false, true]) {
      const read = token ?? (await tokenIn(tokenFile, place))
      token = read
      const { status, body } = await post(place, work, { token: read, inputs })
      if (status === 403 && !isLast) {
        token = undefined
        continue
      }
      return resultsIn(place, { status, body, count: inputs.length })
    }
    throw new RangeError('unreachable')
  }
}

async function tokenIn(file: string, place: Place): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw unavailable(place, 'cannot be asked: KOGI_VAULT_TOKEN_FILE names no file that can be read', error)
  }
}

type Body = {
  readonly errors?: readonly string[]
  readonly data?: { readonly batch_results?: readonly Result[] }
}
type Asked = { readonly token: string; readonly inputs: readonly Item['input'][] }

async function post(place: Place, work: Work, { token, inputs }: Asked): Promise<{ status: number; body: Body }> {
  const { address, mount, key, namespace } = place
  try {
    const response = await fetch(`${address}/v1/${mount}/${work}/${encodeURIComponent(key)}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Vault-Token': token,
        ...(namespace !== undefined && { 'X-Vault-Namespace': namespace }),
      },
      body: JSON.stringify({ batch_input: inputs }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = (await response.json().catch(() => ({}))) as Body
    return { status: response.status, body }
  } catch (error) {
    throw unavailable(place, 'does not answer', error)
  }
}

type Answer = { readonly status: number; readonly body: Body; readonly count: number }

/** Vault answers 400 for a list of which one part fails, with the others beside it. */
function resultsIn(place: Place, { status, body, count }: Answer): readonly Result[] {
  const results = body.data?.batch_results
  if ((status === 200 || status === 400) && results?.length === count) return results
  const said = body.errors?.filter(error => typeof error === 'string' && error !== '').join('; ')
  throw unavailable(place, `answers ${status}${said ? ` (${said.trim()})` : ''}`)
}
