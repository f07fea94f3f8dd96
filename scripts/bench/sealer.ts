/** A notary in a process of its own, on the event store of KOGI_EVENTSTORE_URL: it answers how far it has sealed. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { Notary } from '../../infra/notary/notary.ts'

const url = process.env.KOGI_EVENTSTORE_URL!
const key = { name: 'bench.example', privateKey: generateKeyPairSync('ed25519').privateKey }
const notary = new Notary({
  events: eventLog({ url, prefixes: domainStreamPrefixes }),
  store: commandStore(url),
  origin: key.name,
  signers: async () => [key],
  anchors: [],
  log: silentLog,
  now: () => new Date().toISOString(),
})
void notary.run(new AbortController().signal)
const server = createServer((_, response) => {
  // A process that was stopped answers no connection that was kept.
  response.writeHead(200, { Connection: 'close' }).end(String(notary.sealed?.size ?? 0))
})
server.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.once('SIGTERM', () => process.exit(0))
