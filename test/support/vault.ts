/** The transit engine of a Vault: encrypt and decrypt, with versions of its key, as its API documents them. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

type Input = { readonly plaintext?: string; readonly ciphertext?: string; readonly associated_data?: string }

/** A server with one key; `state` can be changed while it runs. */
export async function startVault(key: string) {
  const state = { token: 'first', isSealed: false, versions: [randomBytes(32)], requests: 0 }
  const encrypt = ({ plaintext, associated_data = '' }: Input): object => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', state.versions.at(-1)!, nonce)
    cipher.setAAD(Buffer.from(associated_data, 'base64'))
    const text = [nonce, cipher.update(plaintext!, 'base64'), cipher.final(), cipher.getAuthTag()]
    return { ciphertext: `vault:v${state.versions.length}:${Buffer.concat(text).toString('base64')}` }
  }
  const decrypt = ({ ciphertext, associated_data = '' }: Input): object => {
    const [, version, text] = /^vault:v(\d+):(.*)$/.exec(ciphertext!) ?? []
    const secret = state.versions[Number(version) - 1]
    if (!secret) return { error: 'ciphertext or signature version is disallowed by policy (too old)' }
    const bytes = Buffer.from(text!, 'base64')
    try {
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12))
      decipher.setAAD(Buffer.from(associated_data, 'base64')).setAuthTag(bytes.subarray(-16))
      return {
        plaintext: Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('base64'),
      }
    } catch {
      return { error: 'cipher: message authentication failed' }
    }
  }
  const answer = async (request: IncomingMessage): Promise<readonly [number, object]> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    state.requests += 1
    if (state.isSealed) return [503, { errors: ['Vault is sealed'] }]
    if (request.headers['x-vault-token'] !== state.token) return [403, { errors: ['permission denied'] }]
    const work = { [`/v1/transit/encrypt/${key}`]: encrypt, [`/v1/transit/decrypt/${key}`]: decrypt }[request.url!]
    if (request.method !== 'POST' || !work) return [404, { errors: [] }]
    const { batch_input: inputs } = JSON.parse(Buffer.concat(chunks).toString()) as { batch_input: readonly Input[] }
    const results = inputs.map(input => work(input))
    return [results.some(result => 'error' in result) ? 400 : 200, { data: { batch_results: results } }]
  }
  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    state,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/transit/${key}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
