/** HTTP/2 connections to a node of the event store, for calls that go past the client. */
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js'

/** Opens a connection to the node, `host:port`, as the connection string says. */
export function openSession(url: string, node: string, initialWindowSize?: number): ClientHttp2Session {
  const { tls = true, tlsCAFile, userCertFile, userKeyFile } = parseConnectionString(url)
  return connect(`${tls ? 'https' : 'http'}://${node}`, {
    ...(initialWindowSize !== undefined && { settings: { initialWindowSize } }),
    ...(tlsCAFile && { ca: readFileSync(tlsCAFile) }),
    ...(userCertFile && { cert: readFileSync(userCertFile) }),
    ...(userKeyFile && { key: readFileSync(userKeyFile) }),
  })
}

/** The headers of a gRPC call. Credentials are sent over TLS only, as the client does. */
export function callHeaders(url: string, path: string): OutgoingHttpHeaders {
  const { tls = true, defaultCredentials: user } = parseConnectionString(url)
  return {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(tls &&
      user && { authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}` }),
  }
}

/** Pings the node every `intervalMs`, and calls `onSilent` when it has not answered one before the next is due. */
export function keepPinging(session: ClientHttp2Session, intervalMs: number, onSilent: () => void): NodeJS.Timeout {
  let pinged = false
  const timer = setInterval(() => {
    if (pinged) return onSilent()
    pinged = session.ping(() => {
      pinged = false
    })
  }, intervalMs)
  return timer.unref()
}

/** An error with words: the one for a name whose addresses all failed has none of its own. */
export const inWords = (error: Error): Error =>
  error instanceof AggregateError && error.message === ''
    ? new Error(error.errors.map(each => (each as Error).message).join(', '), { cause: error })
    : error
