import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { within } from '../../infra/within.ts'
import { patient } from './pace.ts'

type Server = { readonly admin: pg.Client; url(database: string): string; stop(): Promise<void> }

/** A database to copy, which is prepared once in a process, by migrations for example. */
export type Template = { readonly name: string; readonly prepare: (url: string) => Promise<void> }

/** Longest time for a database, so that one that hangs does not block all later tests; the first starts the server. */
const DATABASE_MS_MAX = 25_000

let server: Promise<Server> | undefined
let turn: Promise<unknown> = Promise.resolve()
const templates = new Map<string, string>()
const created: string[] = []

/**
 * A database of the test's own on the run's one PostgreSQL server: empty, or a copy of a template. The server is
 * started when the first test asks; `KOGI_TEST_DATABASE_URL` names another one to use (its user may create databases).
 */
export function freshDatabase(template?: Template): Promise<string> {
  // One after another: PostgreSQL does not copy a template while another copy of it is made.
  const result = turn.then(() => {
    const limitMs = patient(DATABASE_MS_MAX)
    return within(limitMs, freshCopy(template), () => new Error(`no database after ${limitMs} ms`))
  })
  turn = result.catch(() => undefined)
  return result
}

async function freshCopy(template: Template | undefined): Promise<string> {
  const { url } = await running()
  return url(await create('fresh', template && (await prepared(template))))
}

async function prepared({ name, prepare }: Template): Promise<string> {
  const known = templates.get(name)
  if (known) return known
  const database = await create(name.replace(/\W/g, '_'))
  await prepare((await running()).url(database))
  templates.set(name, database)
  return database
}

async function create(label: string, template = 'template0'): Promise<string> {
  const name = `kogi_test_${label}_${randomBytes(6).toString('hex')}`
  const { admin } = await running()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`)
  created.push(name)
  return name
}

function running(): Promise<Server> {
  server ??= process.env.KOGI_TEST_DATABASE_URL ? named(process.env.KOGI_TEST_DATABASE_URL) : shared()
  return server
}

/** The server of `fixtures.ts`; it ends with the run, so that no database has to be dropped. */
async function shared(): Promise<Server> {
  const response = await fetch(process.env.KOGI_TEST_FIXTURES!)
  const base = await response.text()
  if (!response.ok) throw new Error(base)
  const admin = await connect(base)
  return { admin, url: urlOf(base), stop: () => admin.end() }
}

async function named(base: string): Promise<Server> {
  const admin = await connect(base)
  return {
    admin,
    url: urlOf(base),
    async stop() {
      for (const name of created.splice(0)) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      templates.clear()
      await admin.end()
    },
  }
}

const urlOf = (base: string) => (database: string) => Object.assign(new URL(base), { pathname: `/${database}` }).href

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {}) // The query that waits for an answer fails by itself.
  await client.connect()
  return client
}

after(async function leaveServer() {
  this.timeout(30_000)
  const left = server
  server = undefined
  await (await left)?.stop()
})
