/** What sealing costs commands, and how far it lags behind them. */

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Running, start } from '../running.ts'
import { type Bench, COMMANDS, commands, ROUNDS, spread, WALLETS, withBench } from './commands.ts'
import { alone, type Figure } from './figure.ts'
import { rateAndCpu, sendMany } from './requests.ts'

const SEALER = fileURLToPath(new URL('sealer.ts', import.meta.url))
/** Commands of a second, and for how long, while the lag is measured. */
const RATE = Number(process.env.KOGI_BENCH_RATE ?? 500)
const SECONDS = 20
const SAMPLE_MS = 20

/** Commands with a notary that seals them, against the same while it is stopped; and its lag at 500 a second. */
export const sealingBench = (): Promise<Figure[]> =>
  withBench(async bench => {
    const sealer = await start([SEALER], bench.env)
    let sent = 2 * WALLETS
    const send = async () => {
      const measured = await sendMany(commands(bench, spread), COMMANDS)
      sent += COMMANDS
      return measured
    }
    const ours = async () => {
      process.kill(sealer.pid, 'SIGCONT')
      while ((await sealedBy(sealer)) < sent) await sleep(50)
      return send()
    }
    const bare = () => {
      process.kill(sealer.pid, 'SIGSTOP')
      return send()
    }
    try {
      const figures = await rateAndCpu('commands_while_sealed', { ours, bare }, ROUNDS)
      process.kill(sealer.pid, 'SIGCONT')
      while ((await sealedBy(sealer)) < sent) await sleep(50)
      return [...figures, ...(await lagOf(bench, sealer, sent))]
    } finally {
      process.kill(sealer.pid, 'SIGCONT')
      await sealer.stop()
    }
  })

const sealedBy = async ({ url }: Running): Promise<number> => Number(await (await fetch(url)).text())

/** Time for which the oldest event that is not sealed was there, at moments beside commands at a steady rate. */
async function lagOf(bench: Bench, sealer: Running, before: number): Promise<Figure[]> {
  const { url, pathOf, token, body } = commands(bench, spread)
  const accepted: number[] = []
  const lags: number[] = []
  let isOver = false
  const sampling = (async () => {
    while (!isOver) {
      const oldest = accepted[(await sealedBy(sealer)) - before]
      lags.push(oldest === undefined ? 0 : performance.now() - oldest)
      await sleep(SAMPLE_MS)
    }
  })()
  const begun = performance.now()
  const working = new Set<Promise<void>>()
  for (let n = 0; n < RATE * SECONDS; n += 1) {
    const due = begun + (n * 1_000) / RATE
    if (due > performance.now()) await sleep(due - performance.now())
    const work: Promise<void> = fetch(`${url}${pathOf(n)}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `lag ${begun} ${n}`,
      },
      body: String(body),
    }).then(async answer => {
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`a command answered ${answer.status}`)
      accepted.push(performance.now())
      working.delete(work)
    })
    work.catch(() => {})
    working.add(work)
  }
  const failure = await Promise.all(working).catch((error: Error) => error)
  const seconds = (performance.now() - begun) / 1_000
  isOver = true
  await sampling
  if (failure instanceof Error) throw failure
  const sorted = lags.toSorted((a, b) => a - b)
  return [
    alone('sealing_lag_commands_per_second', (RATE * SECONDS) / seconds, '1/s'),
    alone('sealing_lag_p99', sorted[Math.floor(sorted.length * 0.99)]!, 'ms'),
    alone('sealing_lag_max', sorted.at(-1)!, 'ms'),
  ]
}
