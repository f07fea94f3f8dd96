/** Made-up histories: valid events of several orgs, as the log would hold them, from a seed. */
import { createHash } from 'node:crypto'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'

/** Positions grow by more than one, as in a real log. */
const STEP = 37n

type Thing = { readonly category: string; readonly id: string; readonly org: string; revision: bigint; alive: boolean }

/** Numbers from 0 to below `n`, the same for the same seed (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed >>> 0
  return n => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

/** A UUID that follows from a name. */
export function uuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const WORDS = [
  'Rechnung',
  'café',
  'invoice',
  'zürich',
  'design',
  'tax "2026"',
  'back\\slash',
  'tab\there',
  '東京',
  '😀',
]

/** Builds a history event by event; `events` is the log. */
export class History {
  readonly events: StoredEvent[] = []
  #position: bigint

  constructor(after = 0n) {
    this.#position = after
  }

  add(thing: Thing, type: string, data: { readonly [key: string]: Json }): StoredEvent {
    this.#position += STEP
    const { org, id, category } = thing
    const stream = `${category}-${uuid(`${org}/${category}/${id}`)}`
    const event = {
      type,
      data,
      eventId: uuid(`${stream}@${thing.revision}`),
      stream,
      revision: thing.revision,
      position: this.#position,
      metadata: {
        $correlationId: 'correlation',
        $causationId: 'causation',
        commandId: uuid(`command ${stream}@${thing.revision}`),
        fingerprint: 'f'.repeat(64),
        org,
        id,
        actor: { subject: 'somebody', roles: ['team-member'] },
        subjects: [],
        at: new Date(1_760_000_000_000 + this.events.length * 1000).toISOString(),
        schema: 1,
      },
    }
    thing.revision += 1n
    this.events.push(event)
    return event
  }
}

/** A thing to which events can be added. */
export const thing = (category: string, org: string, id: string): Thing => ({
  category,
  org,
  id,
  revision: 0n,
  alive: true,
})

/** About `count` events of wallets, items and tasks of `orgs` orgs, in an order that a seed decides. */
export function randomHistory({
  seed,
  count,
  orgs = 5,
}: {
  seed: number
  count: number
  orgs?: number
}): StoredEvent[] {
  const random = randomOf(seed)
  const history = new History()
  const word = () => WORDS[random(WORDS.length)]!
  const things = Array.from({ length: orgs * 6 }, (_, at) =>
    thing(['wallet', 'item', 'task'][at % 3]!, `org-${at % orgs}`, `thing-${at}`),
  )
  while (history.events.length < count) {
    const one = things[random(things.length)]!
    if (one.category === 'wallet') stepWallet(history, one, random, word)
    else if (one.category === 'item') stepItem(history, one, random, word)
    else stepTask(history, one, random, word)
  }
  return history.events
}

type Random = (n: number) => number

function stepWallet(history: History, wallet: Thing, random: Random, word: () => string): void {
  if (wallet.revision === 0n) {
    const holder = { key: uuid(wallet.id), nonce: 'A'.repeat(16), text: 'B'.repeat(30) }
    history.add(wallet, 'WalletOpened', { owner: 'somebody', kind: 'business', ...(random(2) === 0 && { holder }) })
    for (const account of ['main', 'tax:2026']) {
      history.add(wallet, 'AccountOpened', { account, currency: 'EUR', places: 2, overdraft: 'allowed' })
    }
    return
  }
  const amount = String(1 + random(1_000_000_000)) + '0'.repeat(random(20))
  const [to, from] = random(3) === 0 ? ['main', 'tax:2026'] : ['main', 'external:client']
  history.add(wallet, 'EntryPosted', {
    entry: uuid(`${wallet.id} entry ${wallet.revision}`),
    kind: 'credit',
    postings: [
      { account: to!, currency: 'EUR', amount },
      { account: from!, currency: 'EUR', amount: `-${amount}` },
    ],
    effectiveOn: '2026-02-28',
    ...(random(2) === 0 && { description: `${word()} ${word()}` }),
  })
}

function stepItem(history: History, item: Thing, random: Random, word: () => string): void {
  const status = () => ['draft', 'live', 'sold'][random(3)]!
  if (item.revision === 0n || !item.alive) {
    item.alive = true
    const metadata = { colour: word(), parts: [1, 2.5, null, word()], nested: { b: true, a: 1e21 } }
    history.add(item, 'ItemAdded', { type: 'asset', status: status(), name: word(), metadata, owner: 'somebody' })
  } else if (random(5) === 0) {
    item.alive = false
    history.add(item, 'ItemArchived', random(2) === 0 ? {} : { reason: word() })
  } else if (random(2) === 0) {
    history.add(item, 'ItemStatusChanged', { from: status(), to: status() })
  } else {
    const description = random(3) === 0 ? null : word()
    history.add(item, 'ItemUpdated', { ...(random(2) === 0 && { name: word() }), description })
  }
}

function stepTask(history: History, task: Thing, random: Random, word: () => string): void {
  if (task.revision === 0n || !task.alive) {
    task.alive = true
    history.add(task, 'TaskCreated', { name: word(), status: 'open', ...(random(2) === 0 && { description: word() }) })
    return
  }
  if (random(12) === 0) {
    task.alive = false
    history.add(task, 'TaskRemoved', random(2) === 0 ? {} : { reason: word() })
    return
  }
  const changes: readonly (readonly [string, { readonly [key: string]: Json }])[] = [
    ['TaskChanged', { ...(random(2) === 0 && { name: word() }), description: random(3) === 0 ? null : word() }],
    ['TaskAssigned', { from: null, to: random(3) === 0 ? null : word() }],
    ['TaskMovedToTeam', { from: null, to: word() }],
    ['TaskCompleted', { from: 'open' }],
    ['TaskStatusChanged', { from: 'open', to: word() }],
  ]
  history.add(task, ...changes[random(changes.length)]!)
}
