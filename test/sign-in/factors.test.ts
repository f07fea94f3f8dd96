import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { stepOf, totpOf } from '../../infra/sign-in/factors.ts'

/** RFC 6238, appendix B: seconds, and the code of each algorithm. */
const VECTORS = [
  [59, '94287082', '46119246', '90693936'],
  [1111111109, '07081804', '68084774', '25091201'],
  [1111111111, '14050471', '67062674', '99943326'],
  [1234567890, '89005924', '91819424', '93441116'],
  [2000000000, '69279037', '90698825', '38618901'],
  [20000000000, '65353130', '77737706', '47863826'],
] as const
const ALGORITHMS = [
  ['SHA1', 20],
  ['SHA256', 32],
  ['SHA512', 64],
] as const

describe('codes of authenticators', () => {
  it('are those of RFC 6238', () => {
    for (const [n, [algorithm, bytes]] of ALGORITHMS.entries()) {
      const secret = Secret.fromLatin1('1234567890'.repeat(7).slice(0, bytes))
      const totp = new TOTP({ algorithm, digits: 8, period: 30, secret })
      for (const [seconds, ...codes] of VECTORS) {
        expect(stepOf(totp, codes[n]!, seconds * 1000), `${algorithm} ${seconds}`).to.equal(Math.floor(seconds / 30))
      }
    }
  })

  it('count one period before and after, and no further', () => {
    const totp = totpOf(new Secret({ size: 20 }), 'mira@studio.example')
    const at = 1_800_000_000_000
    const codeIn = (periods: number) => totp.generate({ timestamp: at + periods * 30_000 })
    for (const periods of [-1, 0, 1]) expect(stepOf(totp, codeIn(periods), at)).to.equal(at / 30_000 + periods)
    for (const periods of [-3, -2, 2, 3]) expect(stepOf(totp, codeIn(periods), at)).to.equal(undefined)
    expect(totp.toString()).to.match(/^otpauth:\/\/totp\/Kogi:mira%40studio\.example\?issuer=Kogi&secret=[A-Z2-7]{32}&/)
  })
})
