/**
 * Leases of workers: each names a work that one process does at a time. A lease only says who works; what keeps a
 * worker that was overtaken from doing harm is the fence of the work itself (a checkpoint that expects a revision, a
 * command that is done once).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { type Log, reasonOf } from './log.ts'

/** How long a worker may be silent before another takes its work, and how often it says that it lives. */
const TTL_MS = 6_000
const RENEWALS = 3
const RETRY_MS_MAX = 5_000

export type LeaseOptions = {
  /** Opens a connection that is used for leases alone: its end gives them up at once. */
  readonly connect: () => Promise<Client>
  /** Names this process among all workers. */
  readonly owner: string
  readonly log: Log
  readonly ttlMs?: number
}

/** A work and how it is done: until `signal` aborts. It ends early, or throws, where it cannot go on. */
export type Work = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<void> }

/** What this process holds, and the last error of the database that says so. */
export type LeaseState = { readonly held: ReadonlySet<string>; readonly error?: Error | undefined }

export class Leases {
  readonly #options: LeaseOptions
  readonly #ttlMs: number
  readonly #held = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>()
  readonly #closing = new AbortController()
  readonly #loop: Promise<void>
  #client: Client | undefined
  #error: Error | undefined

  constructor(options: LeaseOptions, works: readonly Work[]) {
    this.#options = options
    this.#ttlMs = options.ttlMs ?? TTL_MS
    this.#loop = this.#keep(works)
  }

  get state(): LeaseState {
    return { held: new Set(this.#held.keys()), error: this.#error }
  }

  /** Ends the works in good order and gives their leases back. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#loop
  }

  async #keep(works: readonly Work[]): Promise<void> {
    const { signal } = this.#closing
    let renewedAt = performance.now()
    for (let failures = 0; !signal.aborted; ) {
      try {
        const client = await this.#connected()
        const sent = performance.now()
        const mine = await take(client, { names: works.map(({ name }) => name), ...this.#options, ttlMs: this.#ttlMs })
        renewedAt = sent
        this.#error = undefined
        failures = 0
        for (const work of works) {
          if (!mine.has(work.name)) this.#stop(work.name)
          else if (!this.#held.has(work.name)) this.#start(work)
        }
        await sleep(this.#ttlMs / RENEWALS, undefined, { signal }).catch(() => {})
      } catch (error) {
        this.#error = error as Error
        this.#drop()
        if (failures++ === 0) this.#options.log.warn({ reason: reasonOf(error) }, 'leases cannot be renewed')
        // Whoever cannot renew stops in time: another worker may begin.
        if (performance.now() - renewedAt > this.#ttlMs) for (const name of this.#held.keys()) this.#stop(name)
        await sleep(Math.min(RETRY_MS_MAX, this.#ttlMs / 8), undefined, { signal }).catch(() => {})
      }
    }
    const ending = [...this.#held].map(([name, { ended }]) => {
      this.#stop(name)
      return ended
    })
    await Promise.all(ending)
    await this.#client
      ?.query('delete from worker_leases where owner = $1', [this.#options.owner])
      .catch(error => this.#options.log.warn({ reason: reasonOf(error) }, 'leases were not given back'))
    this.#drop()
  }

  #start({ name, run }: Work): void {
    const stop = new AbortController()
    this.#options.log.info({ lease: name }, 'this worker begins')
    const ended = run(stop.signal)
      .catch(error => this.#options.log.warn({ err: error, lease: name }, 'the work of a lease was broken off'))
      // A pause, so that work that fails at once does not spin.
      .then(() =>
        sleep(stop.signal.aborted ? 0 : this.#ttlMs / RENEWALS / 2, undefined, { signal: this.#closing.signal }),
      )
      .catch(() => {})
      .finally(() => this.#held.delete(name))
    this.#held.set(name, { stop, ended })
  }

  #stop(name: string): void {
    this.#held.get(name)?.stop.abort()
  }

  async #connected(): Promise<Client> {
    if (this.#client) return this.#client
    const client = await this.#options.connect()
    client.on('error', error => {
      this.#error = error
      if (this.#client === client) this.#client = undefined
    })
    this.#client = client
    return client
  }

  #drop(): void {
    const client = this.#client
    this.#client = undefined
    void client?.end().catch(() => {})
  }
}

/** SQL condition on the owner of a lease: one of its rows is not over, and its session is there. */
const isAlive = (owner: string) => `exists (
    select from worker_leases h join pg_stat_activity a on a.pid = h.backend
    where h.owner = ${owner} and h.expires_at >= clock_timestamp())`

/**
 * Takes the leases that no living worker holds, and says that this worker lives: on one row, whatever it holds, but on
 * all of them after it has connected anew. Answers those that are this worker's. What a row says of itself is asked as
 * well, because another worker may have taken it since this statement began.
 */
async function take(
  client: Client,
  { names, owner, ttlMs }: { names: readonly string[]; owner: string; ttlMs: number },
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>({
    name: 'leases',
    text: `with renewed as (
        update worker_leases set backend = pg_backend_pid(), expires_at = clock_timestamp() + $3 * interval '1 ms'
        where owner = $2 and (backend <> pg_backend_pid()
          or name = (select min(name) from worker_leases where owner = $2 and name = any ($1)))
        returning name),
      taken as (
        insert into worker_leases as l (name, owner, backend, expires_at)
        select name, $2, pg_backend_pid(), clock_timestamp() + $3 * interval '1 ms' from unnest($1::text[]) name
        where name not in (select name from worker_leases where owner = $2)
        on conflict (name) do update set owner = excluded.owner, backend = excluded.backend,
          expires_at = excluded.expires_at, since = excluded.since
        where not ${isAlive('l.owner')} and (l.expires_at < clock_timestamp()
          or not exists (select from pg_stat_activity where pid = l.backend))
        returning name)
      select name from taken union select l.name from worker_leases l where l.owner = $2 and l.name = any ($1)`,
    values: [names, owner, ttlMs],
  })
  return new Set(rows.map(({ name }) => name))
}

/** The leases that living workers hold, by name. */
export async function leaseOwners(client: Pick<Client, 'query'>): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; owner: string }>(
    `select l.name, l.owner from worker_leases l where ${isAlive('l.owner')}`,
  )
  return new Map(rows.map(({ name, owner }) => [name, owner]))
}
