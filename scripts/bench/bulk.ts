/** Commands that bulks, and one hot account, bring into the log. */
import { load, ROUND_SECONDS, WARM_UP_SECONDS } from './load.ts'

const COMMANDS = 1_000
const BULKS_AT_ONCE = 4

/** Accepted commands/s on a command API with wallets `w0`, `w1` …: one by one or in bulks, on all wallets or on one. */
export function commandSides(url: string, token: string, wallets: number) {
  const credit = { account: 'main', currency: 'EUR', amount: '1', counterparty: 'external:bench' }
  const body = JSON.stringify(credit)
  const spread = (n: number) => n % wallets
  const first = () => 0
  const single = (walletOf: (n: number) => number) => () =>
    load(url, 'POST', n => `/api/v1/kwlt/wallets/w${walletOf(n)}/credits`, { token, body })
  const bulk = (walletOf: (n: number) => number) => async () => {
    const commands = Array.from({ length: COMMANDS }, (_, n) => ({
      command: 'wallet.credit',
      id: `w${walletOf(n)}`,
      body: credit,
    }))
    return COMMANDS * (await bulksPerSecond(url, token, JSON.stringify({ commands })))
  }
  return { single: single(spread), hot: single(first), bulk: bulk(spread), hotBulk: bulk(first) }
}

/** Bulks/s of which every command was accepted; any other answer makes the measurement void. */
async function bulksPerSecond(url: string, token: string, body: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const begin = performance.now() + WARM_UP_SECONDS * 1000
  const end = begin + ROUND_SECONDS * 1000
  let bulks = 0
  let last = begin
  const lane = async () => {
    while (performance.now() < end) {
      const answer = await fetch(`${url}/api/v1/bulk`, { method: 'POST', headers, body })
      const text = await answer.text()
      const accepted = text.match(/"status":20[01]/g)?.length ?? 0
      const failed = /"error":.{0,200}/.exec(text)?.[0]
      if (accepted !== COMMANDS) throw new Error(`a bulk answered ${answer.status}, ${accepted} accepted: ${failed}`)
      if (performance.now() < begin) continue
      bulks += 1
      last = performance.now()
    }
  }
  await Promise.all(Array.from({ length: BULKS_AT_ONCE }, lane))
  return bulks / ((last - begin) / 1000)
}
