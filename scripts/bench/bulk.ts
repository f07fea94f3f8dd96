/** How many commands a second bulks, and one hot account, bring into the log against single requests. */
import type { Figure } from './figure.ts'
import { load, pairedRounds, ROUND_SECONDS, WARM_UP_SECONDS } from './load.ts'

const COMMANDS = 1_000
const BULKS_AT_ONCE = 4

/** On a command API with wallets `w0`, `w1` …: each against single requests that are spread over all of them. */
export async function bulkFigures(url: string, token: string, wallets: number): Promise<Figure[]> {
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
  const bare = single(spread)
  return [
    await pairedRounds('commands_of_one_wallet_per_second', { ours: single(first), bare }),
    await pairedRounds('bulk_commands_per_second', { ours: bulk(spread), bare }),
    await pairedRounds('bulk_commands_of_one_wallet_per_second', { ours: bulk(first), bare }),
  ]
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
