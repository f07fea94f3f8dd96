/** Sends mails by SMTP (RFC 5321), through the library `nodemailer`. */
import { createTransport } from 'nodemailer'

type Letter = {
  /** Names the mail over all its attempts. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** What became of an attempt. `isFinal`: the server will not take the mail later either. */
export type Posted = { readonly failure?: string; readonly isFinal?: boolean; readonly latencyMs: number }

/** It never throws: what goes wrong is its outcome. */
export type SendLetter = (letter: Letter, at: Date) => Promise<Posted>

const TIMEOUT_MS = 10_000

/** Failures of the way to the server, by the codes of errors of the library. */
const FAILURES: Readonly<Record<string, string>> = {
  EAUTH: 'auth_failed',
  ENOAUTH: 'auth_failed',
  EOAUTH2: 'auth_failed',
  ETIMEDOUT: 'timeout',
  ETLS: 'tls_failed',
  EREQUIRETLS: 'tls_failed',
  EDNS: 'name_unknown',
}
const REJECTED = 'rejected'
const DEFERRED = 'deferred'

/** Failures that say nothing about the mail: other mails fail as well. */
export const isOfServer = (failure: string): boolean => failure !== REJECTED && failure !== DEFERRED

export function smtpSender(url: string, from: string): SendLetter {
  const transport = createTransport({
    url,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return async ({ id, to, subject, text }, date) => {
    const begun = performance.now()
    const latencyMs = () => Math.min(3_600_000, Math.round(performance.now() - begun))
    const addressed = { from: { name: 'Kogi', address: from }, to: { name: '', address: to } }
    const headers = { 'Auto-Submitted': 'auto-generated' }
    try {
      await transport.sendMail({ ...addressed, subject, text, date, headers, messageId: `<${id}@${domain}>` })
      return { latencyMs: latencyMs() }
    } catch (error) {
      return { ...failureOf(error), latencyMs: latencyMs() }
    }
  }
}

function failureOf(error: unknown): { readonly failure: string; readonly isFinal?: boolean } {
  const { code = '', responseCode = 0 } = error as { readonly code?: string; readonly responseCode?: number }
  const known = FAILURES[code]
  if (known) return { failure: known }
  if (responseCode >= 500) return { failure: REJECTED, isFinal: true }
  return { failure: responseCode >= 400 ? DEFERRED : 'connection_failed' }
}
