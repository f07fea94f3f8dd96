import { type ConnectionOptions, connect } from 'nats'
import { EMBEDDED } from './config.ts'

const TIMEOUT_MS = 2_000

/** The options of a connection to the server of a URL: people write credentials into it, the client takes them apart. */
export function natsOptions(url: string): ConnectionOptions {
  const { username, password, protocol, host } = new URL(url)
  const credentials = password
    ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    : username
      ? { token: decodeURIComponent(username) }
      : {}
  return { servers: host, ...credentials, ...(protocol === 'tls:' && { tls: {} }) }
}

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
