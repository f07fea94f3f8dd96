import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import { mustBeStrong } from '../../infra/sign-in/password-rules.ts'
import { passwords } from '../../infra/sign-in/passwords.ts'

const DATA = process.env.KOGI_DATA_SETS
const COMMON = DATA && path.join(DATA, 'passwords_common/passwords.csv')

const isRefused = (password: string, known: readonly string[] = []) =>
  mustBeStrong(password, known).then(
    () => false,
    ({ code }) => code === 'password_refused',
  )

describe('passwords', () => {
  it('are refused where they are short, common, patterns, or made of what is known of the user', async () => {
    for (const password of ['', 'a1!B', 'password', 'P@ssw0rd', 'qwertzuiop', 'abcdefgh', '12345678', 'aaaaaaaaaa']) {
      expect(await isRefused(password), password).to.equal(true)
    }
    expect(await isRefused('mira@studio.example', ['mira@studio.example'])).to.equal(true)
    for (const password of ['four blue herons on a roof', 'vT9#qLm2xRw8', 'Ein Fluß fließt zum Meer']) {
      expect(await isRefused(password), password).to.equal(false)
    }
  })

  it('are refused where they are among the most frequent ones', async function () {
    this.timeout(60_000)
    if (!COMMON || !existsSync(COMMON)) {
      console.log('      skipped: KOGI_DATA_SETS names no folder with passwords_common')
      return this.skip()
    }
    const lines = readFileSync(COMMON, 'utf8').trim().split('\n').slice(1)
    const through: string[] = []
    for (const line of lines) {
      const password = line.slice(line.indexOf(',') + 1, line.lastIndexOf(','))
      if (!(await isRefused(password))) through.push(password)
    }
    expect(lines.length).to.be.above(3_000)
    expect(through).to.deep.equal([])
  })

  it('are hashed at the cost that is set, and known by their hash alone', async () => {
    const cheap = passwords({ memoryKib: 64, passes: 1, lanes: 1 })
    const dear = passwords({ memoryKib: 128, passes: 2, lanes: 1 })
    const hash = await cheap.hash('Ein Fluß')
    expect(hash).to.match(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    expect(await cheap.hash('Ein Fluß')).to.not.equal(hash)
    expect(await dear.isRight(hash, 'Ein Fluß')).to.equal(true)
    expect(await dear.isRight(hash, 'Ein Fluss')).to.equal(false)
    // The same letters in another form of Unicode are the same password.
    expect(await dear.isRight(await cheap.hash('fünf'), 'fu\u0308nf')).to.equal(true)
    expect([cheap.isOld(hash), dear.isOld(hash)]).to.deep.equal([false, true])
    expect(await cheap.isRight(undefined, 'Ein Fluß')).to.equal(false)
  })

  it('are refused at once where too many wait, and all others are answered', async () => {
    const slow = passwords({ memoryKib: 64, passes: 1, lanes: 1 })
    const answers = await Promise.allSettled(Array.from({ length: 260 }, () => slow.hash('x')))
    const refused = answers.filter(({ status }) => status === 'rejected')
    expect(refused).to.have.length(58)
    expect(refused.map(each => (each as PromiseRejectedResult).reason.code)).to.include('too_many_requests')
  })
})
