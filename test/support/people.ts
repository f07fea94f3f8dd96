/** People who sign up and in, as tests of signing in need them. */
import { expect } from 'chai'
import { type TOTP, URI } from 'otpauth'
import type { App } from './app.ts'
import { type Answer, type Client, client } from './client.ts'

export const PASSWORD = 'four blue herons on a roof'
export const ISSUER = 'https://kogi.example'
/** Settings with hashes that cost next to nothing, and few tries. */
export const SIGN_IN = {
  KOGI_ISSUER: ISSUER,
  KOGI_PASSWORD_MEMORY_KIB: '64',
  KOGI_PASSWORD_PASSES: '1',
  KOGI_SIGN_IN_TRIES: '5',
  KOGI_TRUSTED_PROXIES: '127.0.0.0/8',
}

/** The status of a good answer, or the code of an error, in the form of Kogi or of RFC 6749. */
export const codeOf = ({ status, body }: Answer) => (status < 300 ? status : (body.error.code ?? body.error))

/** A code of an authenticator, some periods from now: each counts once. */
export const codeAt = (uri: string, steps = 0): string =>
  (URI.parse(uri) as TOTP).generate({ timestamp: Date.now() + steps * 30_000 })

export function peopleOf({ url }: Pick<App, 'url'>) {
  const opened: Client[] = []
  function bearer(token?: string): Client {
    const made = client(url, token)
    opened.push(made)
    return made
  }
  const anybody = bearer()
  const send = (by: Client, method: string, path: string, body?: object, headers = {}): Promise<Answer> =>
    by.call(method, `/api/v1${path}`, { body, headers })
  async function done(by: Client, method: string, path: string, body?: object) {
    const answer = await send(by, method, path, body)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
    return answer.body?.data
  }
  const signUp = (email: string) => done(anybody, 'POST', '/kbs/sign-up', { email, password: PASSWORD })
  const signIn = (email: string, more: object = {}) =>
    done(anybody, 'POST', '/kbs/sign-in', { email, password: PASSWORD, ...more })
  return {
    anybody,
    bearer,
    send,
    done,
    signUp,
    signIn,
    refresh: (token: string) =>
      send(anybody, 'POST', '/kbs/oauth/token', { grant_type: 'refresh_token', refresh_token: token }),
    note: (token: string) => send(bearer(token), 'POST', '/koff/notes', { title: 'By a person' }),
    /** A new user with an authenticator, whose code of the period before was used. */
    async enrolled(email: string) {
      await signUp(email)
      const { access_token: token } = await signIn(email)
      const { uri } = await done(bearer(token), 'POST', '/kbs/me/totp')
      const confirmed = await done(bearer(token), 'POST', '/kbs/me/totp/confirm', { code: codeAt(uri, -1) })
      return { uri, token: confirmed.access_token as string, codes: confirmed.recovery_codes as string[] }
    },
    close() {
      for (const each of opened) each.close()
    },
  }
}
