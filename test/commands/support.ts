import { randomUUID } from 'node:crypto'
import type { Command, Receipt } from '../../commands/command.ts'
import { execute, type WriteDeps } from '../../commands/execute.ts'
import { streamOf } from '../../commands/ids.ts'
import type { EventStore, Keyring } from '../../commands/ports.ts'
import { referenceCheck } from '../../commands/references.ts'
import { loadedStreams } from '../../commands/streams.ts'
import { Turns } from '../../commands/turns.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { type AnyAggregate, evolveWith } from '../../domain/kernel/aggregate.ts'
import { KogiError, type Rejection } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { accountOf, type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import { aggregates, codec } from '../../infra/catalogue.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'

export const ORG = 'org-1'

/** The embedded event store for the tests of one file, and the port of the write side on it. */
export function eventStore(): { readonly port: EventStore; readonly url: string } {
  let server: Awaited<ReturnType<typeof startEventStore>> | undefined
  let writer: ReturnType<typeof commandStore> | undefined
  before(async () => {
    server = await startEventStore({ memory: true })
    writer = commandStore(server.url, 5_000)
  })
  after(async () => {
    await writer?.close()
    await server?.close()
  })
  return {
    get url() {
      return server!.url
    },
    get port() {
      if (!writer) throw new Error('the event store runs inside tests only')
      return writer
    },
  }
}

/** Seals by writing the text backwards: what the write path does with personal data shows in the open. */
export const plainKeyring: Keyring = {
  async seal(_, subject, plain) {
    const text = Buffer.from([...plain].reverse().join(''))
      .toString('base64url')
      .padEnd(22, '_')
    const digest = Buffer.from(`${subject}:${plain}`).toString('base64url').padEnd(43, '_').slice(0, 43)
    return { key: '11111111-1111-4111-8111-111111111111', nonce: 'n'.repeat(16), text, digest }
  },
  own: async () => {},
  mustNotBeErased: async () => {},
  open: async (_, envelopes) =>
    envelopes.map(({ text }) => [...Buffer.from(text.replace(/_+$/, ''), 'base64url').toString()].reverse().join('')),
}

export type Send = (command: Partial<Command> & Pick<Command, 'name' | 'id' | 'body'>) => Promise<Receipt>

/** A process of its own on a log: nothing cached yet. Sends each command under a new key unless one is given. */
export function startProcess(port: EventStore, more: Partial<WriteDeps> = {}) {
  const refused: Rejection[] = []
  const snapshotsFailed: unknown[] = []
  const deps: WriteDeps = {
    store: port,
    codec,
    streams: loadedStreams({
      store: port,
      codec,
      unskippedBy: async () => ['tasks'],
      onSnapshotFailed: (_, error) => snapshotsFailed.push(error),
    }),
    checkReferences: referenceCheck(aggregates, port),
    keyring: plainKeyring,
    turns: new Turns(),
    now: () => new Date().toISOString(),
    onRefused: (_, rejection) => refused.push(rejection),
    ...more,
  }
  const send: Send = command =>
    execute(deps, {
      aggregate: wallet,
      opens: ['open', 'add', 'create'].includes(command.name),
      idempotencyKey: randomUUID(),
      principal: { subject: 'user-1', org: ORG, roles: [], permissions: [] },
      correlationId: 'b6e3a0f4-7d27-4c1e-9a55-0d8f1c2e3a4b',
      ...command,
    })
  return { send, deps, refused, snapshotsFailed }
}

/** Opens a wallet with an account `a` in EUR, and puts `balance` into it. */
export async function openWallet(send: Send, balance = 0n): Promise<string> {
  const id = `wallet-${randomUUID()}`
  await send({ name: 'open', id, body: { kind: 'personal' } })
  await send({ name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } })
  if (balance > 0n) await send(credit(id, balance))
  return id
}

const transfer =
  (name: 'credit' | 'debit') =>
  (id: string, amount: bigint, idempotencyKey: string = randomUUID()) => ({
    name,
    id,
    body: { account: 'a', currency: 'EUR', amount, counterparty: 'external:x' },
    idempotencyKey,
  })
export const credit = transfer('credit')
export const debit = transfer('debit')

/** Adds an item to the portfolio. */
export async function addItem(send: Send): Promise<string> {
  const id = `item-${randomUUID()}`
  await send({ aggregate: item, name: 'add', id, body: { type: 'app', status: 'draft', name: 'Clock' } })
  return id
}

/** Every event of a thing, read from the log alone. */
export async function eventsOf(port: EventStore, id: string, aggregate: AnyAggregate = wallet): Promise<DomainEvent[]> {
  const events: DomainEvent[] = []
  for (;;) {
    const page = await port.read(streamOf(ORG, aggregate.name, id), BigInt(events.length), 1000)
    events.push(...page.map(codec.decode))
    if (page.length < 1000) return events
  }
}

/** The snapshots that are kept of a thing. */
export const snapshotsOf = (port: EventStore, id: string, aggregate: AnyAggregate = wallet) =>
  port.readDerived(streamOf(ORG, aggregate.name, id).replace('-', '_snapshot-'), 'backwards', 10)

/** The balance of a wallet's account `a`, folded from the log alone. */
export async function balanceOf(port: EventStore, id: string): Promise<bigint> {
  let state: Wallet = wallet.initial
  for (const event of await eventsOf(port, id)) state = evolveWith(wallet, state, event) as Wallet
  return accountOf(state, 'a', 'EUR')?.amount ?? 0n
}

/** The code that a promise is refused with; what is no expected error goes on. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (error instanceof KogiError) return error.code
    throw error
  }
}

/** What the port throws when no answer came. */
export const noAnswer = () => new KogiError('engine_unavailable', 'no answer')
