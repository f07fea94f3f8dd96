/** What must hold of the system after every data set, whatever was sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Answer, Client } from '../support/client.ts'
import type { System } from '../support/system.ts'

type Row = Record<string, string>

/** All rows of a list, page by page; `member` names the list where it is part of the answer. */
export async function allRows(client: Client, path: string, member?: string): Promise<Row[]> {
  const rows: Row[] = []
  const url = new URL(path, 'http://kogi')
  url.searchParams.set('limit', '500')
  for (let next: string | undefined; ; ) {
    if (next) url.searchParams.set('after', next)
    const { status, body } = await client.call('GET', url.pathname + url.search)
    expect(status, JSON.stringify(body)).to.equal(200)
    rows.push(...(member ? body.data[member] : body.data))
    next = body.pagination.next
    if (!body.pagination.has_more) return rows
  }
}

/** Waits until the read models have reached a position. */
export async function visible(client: Client, position: bigint): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const headers = { 'Kogi-Min-Position': String(position) }
    const { status } = await client.call('GET', '/api/v1/kwlt/wallets?limit=1&wait=30000', { headers })
    if (status === 200) return
  }
  expect.fail(`position ${position} did not become visible`)
}

/** Every stored row equals an independent fold of the log. */
export async function checkRows(system: System): Promise<void> {
  const report = JSON.parse(await system.kogi('check', '--json'))
  expect(report.equal, JSON.stringify(report).slice(0, 2000)).to.equal(true)
}

/** How often a command is sent that is answered 503 each time. */
const TRIES_MAX = 20

/**
 * Sends commands as a client does. One that is answered 503 may have taken effect: it is sent again with the same key,
 * after the time that the answer names. `late`: it was sent again, and had not been acknowledged before, so that the
 * answer is a replay where the effect came without one.
 */
export function commandsOf(client: Client) {
  const acknowledged = new Set<string>()
  return async (method: string, path: string, key: string, body?: unknown): Promise<Answer & { late: boolean }> => {
    const call = { headers: { 'Idempotency-Key': key }, ...(body !== undefined && { body }) }
    let answer = await client.call(method, path, call)
    let tries = 1
    for (; answer.status === 503 && tries < TRIES_MAX; tries++) {
      await sleep(Number(answer.headers['retry-after'] ?? 1) * 1000)
      answer = await client.call(method, path, call)
    }
    const name = `${method} ${path} ${key}`
    const late = tries > 1 && !acknowledged.has(name)
    acknowledged.add(name)
    return { ...answer, late }
  }
}

/** Kills the projector the hard way, as often as `times`, while `work` runs. */
export const whileKillingProjector = (system: System, times: number, work: Promise<unknown>): Promise<void> =>
  whileKilling(system, { child: 'projector', times, everyMs: 1_500 }, work)

/** Kills a child of the system the hard way, as often as `times`, while `work` runs. */
export async function whileKilling(
  system: System,
  { child, times, everyMs }: { readonly child: string; readonly times: number; readonly everyMs: number },
  work: Promise<unknown>,
): Promise<void> {
  let running = true
  const finished = work.finally(() => {
    running = false
  })
  for (let kill = 0; kill < times; kill++) {
    await new Promise(resolve => setTimeout(resolve, everyMs))
    if (!running) break
    for (const pid of await system.childrenNamed(child)) process.kill(pid, 'SIGKILL')
  }
  await finished
}
