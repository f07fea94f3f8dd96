/** The settings of how people sign in here. */
import { z } from 'zod'
import { setting } from '../setting.ts'
import { httpUrl, integer, networkList } from '../setting-forms.ts'

export const signInSettings = {
  issuer: setting('KOGI_ISSUER', httpUrl, undefined, 'URL', {
    meaning:
      'where clients reach this system, as `https://kogi.example`: the issuer of its own tokens. Unless set, nobody ' +
      'signs in here in production; development takes KOGI_HOST and KOGI_PORT',
  }),
  tokenAlgorithm: setting('KOGI_TOKEN_ALGORITHM', z.enum(['RS256', 'EdDSA']), 'RS256', '', {
    meaning: 'algorithm that own tokens are signed with: `RS256` or `EdDSA`',
  }),
  signingKeyDays: setting('KOGI_SIGNING_KEY_DAYS', integer(1, 3_650), '30', 'days', {
    meaning: 'how long a key signs own tokens before the next one does',
  }),
  accessTokenSeconds: setting('KOGI_ACCESS_TOKEN_SECONDS', integer(30, 86_400), '600', 'seconds', {
    meaning: 'how long an own token is valid; the refresh token gets the next one',
  }),
  sessionDays: setting('KOGI_SESSION_DAYS', integer(1, 365), '30', 'days', {
    meaning: 'how long a user stays signed in before they sign in again',
  }),
  signUp: setting('KOGI_SIGN_UP', z.enum(['open', 'closed']), 'open', '', {
    meaning: 'whether people may sign up by themselves, or operators add users (`kogi users add`)',
  }),
  signInTries: setting('KOGI_SIGN_IN_TRIES', integer(1, 1_000_000), '10', 'tries', {
    meaning:
      'failed tries to sign in to one account from one address in a quarter of an hour; ten times as many in an hour ' +
      'for one account, twenty times as many for one address',
  }),
  passwordMemoryKib: setting('KOGI_PASSWORD_MEMORY_KIB', integer(8, 4_194_304), '19456', 'KiB', {
    meaning: 'memory of the hash of a password (argon2id); a change counts for each user when they sign in',
  }),
  passwordPasses: setting('KOGI_PASSWORD_PASSES', integer(1, 100), '2', 'passes', {
    meaning: 'passes of the hash of a password',
  }),
  trustedProxies: setting('KOGI_TRUSTED_PROXIES', networkList, '', 'networks', {
    meaning: 'networks of proxies, separated by commas, whose `X-Forwarded-For` says where a request comes from',
  }),
} as const
