import { connect } from 'nats'
import { EMBEDDED } from './config.ts'

const TIMEOUT_MS = 2_000

/** Connects to the event bus and describes the server. Throws when none answers. */
export async function probeNats(url: string): Promise<string> {
  if (url === EMBEDDED) return 'in-process bus'
  // The client takes credentials as options, and people write them into the URL.
  const { username, password, protocol, host } = new URL(url)
  const credentials = password
    ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    : username
      ? { token: decodeURIComponent(username) }
      : {}
  const tls = protocol === 'tls:' ? { tls: {} } : {}
  const connection = await connect({ servers: host, timeout: TIMEOUT_MS, reconnect: false, ...credentials, ...tls })
  try {
    const { server_name, version, jetstream } = connection.info!
    return `NATS ${version}, server ${server_name}${jetstream ? '' : ', without JetStream'}`
  } finally {
    await connection.close()
  }
}
