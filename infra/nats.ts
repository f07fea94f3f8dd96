import { type ConnectionOptions, connect, type NatsConnection } from 'nats'
import { EMBEDDED } from './config.ts'

const TIMEOUT_MS = 2_000

/** Options of a connection to a server: people write credentials into its URL, which the client does not look for. */
export function natsOptions(url: string): ConnectionOptions {
  const { username, password, protocol, host } = new URL(url)
  const credentials = password
    ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    : username
      ? { token: decodeURIComponent(username) }
      : {}
  return { servers: host, ...credentials, ...(protocol === 'tls:' && { tls: {} }) }
}

/** What the client calls the part of it that makes streams and consumers. */
const ADMIN = 'jetstreamManager'

/** The calls of a server that make streams and consumers. */
export const administrationOf = (connection: NatsConnection, timeout = TIMEOUT_MS) => connection[ADMIN]({ timeout })

/** Connects to the event bus and describes the server. Throws when none answers. */
export async function probeNats(url: string): Promise<string> {
  if (url === EMBEDDED) return 'in-process bus'
  const connection = await connect({ ...natsOptions(url), timeout: TIMEOUT_MS, reconnect: false })
  try {
    const { server_name, version, jetstream } = connection.info!
    return `NATS ${version}, server ${server_name}${jetstream ? '' : ', without JetStream'}`
  } finally {
    await connection.close()
  }
}
