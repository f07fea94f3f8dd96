/** Given what happened before, when a request comes, then an answer and events: the specification of the API. */

import { randomUUID } from 'node:crypto'
import { END, EventStoreDBClient, type Position, START } from '@eventstore/db-client'
import { expect } from 'chai'
import { commandIdOf, streamOf } from '../../commands/ids.ts'
import { commandRoutes } from '../../commands/routes.ts'
import { openSealed } from '../../commands/seal.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { aggregates, codec, domainStreamPrefixes, services } from '../../infra/catalogue.ts'
import { loadConfig } from '../../infra/config.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { type Answer, client } from './client.ts'
import { serve } from './http.ts'
import { freshDatabase } from './postgres.ts'
import { CONTEXT, stored } from './spec.ts'
import { keyTables } from './templates.ts'

/** An event that the log holds, in memory form. Texts of `personal` are sealed for `by`, as digest-less as once. */
type Fact = {
  readonly type: string
  readonly data: object
  readonly id?: string
  readonly by?: string
  readonly key?: string
  readonly fingerprint?: string
  readonly personal?: Readonly<Record<string, string>>
  readonly isOld?: boolean
}

/** Headers of a request, who sends it (`user-1`), and what they may do (all). */
type Options = { readonly as?: string; readonly allowed?: readonly string[]; readonly [header: string]: unknown }
export type Call = readonly [method: string, path: string, body?: unknown, options?: Options]
/** The key of a subject was destroyed. */
type Erasure = { readonly erased: string }
export type Step = Fact | Call | Erasure

/** The answer, by its status alone or by what is named here. */
type Expected = {
  readonly status: number
  /** Members of `data`. */
  readonly data?: object
  readonly code?: string
  /** The fields that the details of an error name. */
  readonly fields?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** The subjects of the org that have a key afterwards. */
  readonly keys?: readonly string[]
  /** How many events the whole log has more than before, those of derived streams too. */
  readonly appended?: number
}

/** An event that is expected, personal data opened; of the metadata what is named. */
type Made = Pick<Fact, 'type' | 'data' | 'id' | 'by'> & { readonly subjects?: readonly string[] }

/**
 * `given(noteAdded, ['DELETE', '/koff/notes/n']).when('PATCH', '/koff/notes/n', { title: 'X' }).then(422)`. Every
 * specification has an org of its own on the real routes, write path, event store and keyring.
 */
export const apiSpec = () => ({
  given: (...history: readonly Step[]) => ({
    when: (...call: Call) => {
      const title = call.slice(0, 2).join(' ')
      const run = async (expected: number | Expected) => {
        const org = `org-${randomUUID()}`
        const system = await running()
        for (const step of history) await happened(system, org, step)
        const end = await system.endOfLog()
        const answer = await send(system, org, call)
        const appended = await system.eventsAfter(end)
        const wanted: Expected = typeof expected === 'number' ? { status: expected } : expected
        const found = await pickedFrom(system, org, { answer, appended: appended.length }, wanted)
        expect(found, `${title}: ${JSON.stringify(answer.body)?.slice(0, SHOWN_MAX)}`).to.deep.equal(wanted)
        return { system, org, answer, appended }
      }
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then; it returns a promise by itself
        async then(expected: number | Expected, ...made: readonly Made[]): Promise<void> {
          const { system, org, appended } = await run(expected)
          const events = appended.filter(({ stream }) => domainStreamPrefixes.some(prefix => stream.startsWith(prefix)))
          const shown = await Promise.all(events.map((event, n) => madeFrom(system, org, event, made[n])))
          expect(shown, `events of ${title}`).to.deep.equal(made)
        },
        /** The answer alone, to look into; its events may be of several things, in any order. */
        answers: async (expected: number | Expected): Promise<Answer> => (await run(expected)).answer,
      }
    },
  }),
})

/** Longest part of an answer that a failing specification shows. */
const SHOWN_MAX = 1_000

type System = Awaited<ReturnType<typeof start>>
let system: Promise<System> | undefined

/** One system for all specifications of a process, until the last file of it has been run. */
const running = () => {
  system ??= start()
  return system
}
after(async function stopSystem() {
  this.timeout(30_000)
  const left = system
  system = undefined
  await (await left)?.close()
})

async function start() {
  const [store, keysDatabaseUrl] = [await startEventStore({ memory: true }), await freshDatabase(keyTables)]
  const urls = { eventStoreUrl: store.url, databaseUrl: 'postgres://not.used', keysDatabaseUrl }
  const side = openWriteSide(urls, loadConfig({}), silentLog)
  const routes = commandRoutes(services, side.deps)
  const config = { bodyLimitBytes: 1_048_576, corsOrigins: [] }
  const { url, lifecycle } = await serve({ routes, config, authenticate: header => JSON.parse(header!.slice(7)) })
  const writer = commandStore(store.url)
  const log = EventStoreDBClient.connectionString(store.url)
  const keys = createPool({ url: keysDatabaseUrl, name: 'spec', log: silentLog })
  return {
    url,
    writer,
    keys,
    async endOfLog(): Promise<Position | typeof START> {
      let end: Position | typeof START = START
      // The stream is read to its end: the client waits for every call that is still open when it is disposed of.
      for await (const { event } of log.readAll({ direction: 'backwards', fromPosition: END, maxCount: 1 })) {
        if (event) end = { commit: event.position.commit, prepare: event.position.prepare }
      }
      return end
    },
    async eventsAfter(position: Position | typeof START): Promise<readonly StoredEvent[]> {
      const events: StoredEvent[] = []
      for await (const { event } of log.readAll({ fromPosition: position })) {
        if (!event || event.type.startsWith('$')) continue
        if (position !== START && event.position.commit <= position.commit) continue
        const { type, data, metadata, id: eventId, streamId: stream, revision } = event
        const stored = { type, data, metadata, eventId, stream, revision, position: event.position.commit }
        events.push(stored as unknown as StoredEvent)
      }
      return events
    },
    async close() {
      await lifecycle.stop('the specifications are through')
      await Promise.allSettled([side.close(), writer.close(), log.dispose(), keys.end()])
      await store.close()
    },
  }
}

async function happened(system: System, org: string, step: Step): Promise<void> {
  if ('erased' in step) {
    await system.keys.query('update subject_keys set secret = null where org = $1 and subject = $2', [org, step.erased])
  } else if ('type' in step) await append(system, org, step)
  else {
    const answer = await send(system, org, step)
    if (answer.status >= 300) throw new Error(`${step.slice(0, 2).join(' ')}: ${JSON.stringify(answer.body)}`)
  }
}

async function append({ writer, keys }: System, org: string, fact: Fact): Promise<void> {
  const { type, id = CONTEXT.id, by = CONTEXT.actor, key = randomUUID(), fingerprint = 'f'.repeat(64) } = fact
  const aggregate = aggregates.find(({ events }) => Object.hasOwn(events, type))
  if (!aggregate) throw new TypeError(`no aggregate has an event ${type}`)
  const stream = streamOf(org, aggregate.name, id)
  const commandId = commandIdOf(org, stream, key)
  const personal: Record<string, object> = {}
  for (const [field, text] of Object.entries(fact.personal ?? {})) {
    const { digest, ...sealed } = await keyring(keys).seal(org, by, text, { makeKey: true })
    personal[field] = fact.isOld ? sealed : { ...sealed, digest }
  }
  const metadata = {
    $correlationId: 'c',
    $causationId: commandId,
    commandId,
    fingerprint,
    org,
    id,
    actor: { subject: by, roles: [] },
    subjects: fact.personal ? [by] : [],
    at: CONTEXT.at,
    schema: codec.schemaOf(type),
  }
  const data = stored(aggregate.events, type, { ...fact.data, ...personal })
  const before = await writer.read(stream, 0n, 1_000)
  await writer.append(stream, BigInt(before.length) - 1n, [{ id: randomUUID(), type, data, metadata }])
}

async function send(system: System, org: string, [method, path, body, options = {}]: Call): Promise<Answer> {
  const { as = CONTEXT.actor, allowed = ['*'], ...headers } = options
  const principal: Principal = { org, subject: as, roles: [], permissions: allowed }
  const api = client(system.url, JSON.stringify(principal))
  const call = { headers: headers as Record<string, string>, ...(body !== undefined && { body }) }
  try {
    return await api.call(method, `/api/v1${path}`, call)
  } finally {
    api.close()
  }
}

/** What an answer says to that which is expected. */
async function pickedFrom(
  { keys }: System,
  org: string,
  { answer, appended }: { readonly answer: Answer; readonly appended: number },
  expected: Expected,
): Promise<Expected> {
  const { error, data } = answer.body ?? {}
  const picked = (from: object | undefined, names: object) =>
    Object.fromEntries(Object.keys(names).map(name => [name, (from as Record<string, unknown> | undefined)?.[name]]))
  const subjects = async () =>
    (await keys.query('select subject from subject_keys where org = $1 order by subject', [org])).rows
  const fields = (error?.details ?? []) as readonly { readonly field: string }[]
  return {
    status: answer.status,
    ...(expected.data && { data: picked(data, expected.data) }),
    ...(expected.code !== undefined && { code: error?.code }),
    ...(expected.fields && { fields: fields.map(({ field }) => field) }),
    ...(expected.headers && { headers: picked(answer.headers, expected.headers) as Record<string, string> }),
    ...(expected.keys && { keys: (await subjects()).map(({ subject }) => subject) }),
    ...(expected.appended !== undefined && { appended }),
  }
}

async function madeFrom({ keys }: System, org: string, event: StoredEvent, expected?: Made): Promise<Made> {
  const { type, data, metadata } = codec.decode(event)
  return {
    type,
    data: await openSealed(keyring(keys), org, data as Record<string, unknown>),
    ...(expected?.id !== undefined && { id: metadata.id }),
    ...(expected?.by !== undefined && { by: metadata.actor.subject }),
    ...(expected?.subjects && { subjects: metadata.subjects }),
  }
}
