/** Witnesses that tests start: the server of `kogi witness`, which can be told to answer as one that is not well. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { witnessServer } from '../../infra/notary/witness-server.ts'
import { witnessOf } from '../../projections/notary/cosignature.ts'
import type { Signer, Verifier } from '../../projections/notary/note.ts'

export const witnessSigner = (name = 'witness.example/w1'): Signer => ({
  name,
  privateKey: generateKeyPairSync('ed25519').privateKey,
})

type Options = {
  readonly signer: Signer
  readonly logs: readonly Verifier[]
  readonly folder: string
  readonly port?: number
}

/** A witness on a port of its own; `state.status` answers everything with that status, `state.asked` counts. */
export async function startWitness({ port = 0, ...options }: Options) {
  const state: { status: number | undefined; asked: number; now: number } = {
    status: undefined,
    asked: 0,
    now: 1_800_000_000,
  }
  const inner = witnessServer({ ...options, now: () => state.now })
  const server = createServer((request, response) => {
    state.asked += 1
    if (state.status === undefined) inner.emit('request', request, response)
    else response.writeHead(state.status).end()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    state,
    key: witnessOf(options.signer),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
