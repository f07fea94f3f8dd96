/** The common part of the operators' verbs: they use running engines, and print answers and errors as text or JSON. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import { domainStreamPrefixes, projections } from '../infra/catalogue.ts'
import { type Config, EMBEDDED } from '../infra/config.ts'
import { type Engines, openEngines, runningEngines } from '../infra/engines.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { createLog, type Log } from '../infra/log.ts'
import { createPool, type Pool } from '../infra/postgres.ts'
import type { EventLog } from '../projections/ports.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { fail, STATUS } from './failing.ts'
import { configFrom } from './serve.ts'

export type OperatorOptions = { readonly data?: string; readonly json?: boolean }
export type Tools = {
  readonly pool: Pool
  readonly events: EventLog
  readonly engines: Engines
  readonly config: Config
  readonly log: Log
}

/**
 * Runs an operator's verb on engines that are there already: it makes no data folder. An error is printed, as JSON too
 * where that was asked for, and ends the process with a status that is never 1.
 */
export async function operate(
  verb: string,
  options: OperatorOptions,
  work: (tools: Tools) => Promise<void>,
): Promise<void> {
  try {
    const config = configFrom(options.data === undefined ? {} : { data: options.data })
    await mustHaveData(config)
    const log = createLog({ service: `kogi-${verb}`, level: config.logLevel, fd: 2 })
    const engines = await openEngines(config, log)
    const pool = createPool({ url: engines.databaseUrl, name: 'read', log })
    const events = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
    try {
      await work({ pool, events: inWords(events), engines, config, log })
    } finally {
      await Promise.allSettled([events.close(), pool.end()])
      await engines.close()
    }
  } catch (error) {
    fail(asExpected(error), { json: options.json, refused: STATUS.refused })
  }
}

/** Prints the result of a verb. */
export function print({ json }: OperatorOptions, value: object, text: string): void {
  console.log(json ? JSON.stringify(toWire(value)) : text)
}

/** The projection of a name; throws `unknown_projection`. */
export function projectionNamed(name: string): AnyProjection {
  const found = projections.find(projection => projection.name === name)
  if (found) return found
  const names = projections.map(projection => projection.name).join(', ')
  throw new KogiError('unknown_projection', `There is no projection ${name}; there are ${names}.`)
}

/** Refuses a folder without data of the embedded engines: a name with a typo would otherwise make a new system. */
export async function mustHaveData(config: Config): Promise<void> {
  const { dataDir, eventStoreUrl, databaseUrl, keysDatabaseUrl } = config
  const wanted = [
    ...(eventStoreUrl === EMBEDDED ? ['events'] : []),
    ...([databaseUrl, keysDatabaseUrl].includes(EMBEDDED) ? ['postgres'] : []),
  ]
  if (wanted.length === 0 || (await runningEngines(config))) return
  for (const name of wanted) {
    if (await stat(path.join(dataDir, name)).catch(() => undefined)) continue
    const message = `There is no data in ${path.resolve(dataDir)}: name the folder of a system with --data`
    throw new KogiError('no_data', `${message}, or start one there with kogi dev.`)
  }
}

/** A log whose failures say that it is the event store that does not answer. */
function inWords(events: EventLog): EventLog {
  return {
    head: signal => events.head(signal).catch(rethrow),
    skips: names => events.skips(names).catch(rethrow),
    follow: events.follow,
    async *read(options) {
      try {
        yield* events.read(options)
      } catch (error) {
        rethrow(error)
      }
    },
  }
}

/** Throws an error of the event store as `engine_unavailable`. */
export function rethrow(error: unknown): never {
  if (error instanceof KogiError || !(error instanceof Error) || error.name === 'AbortError') throw error
  const said = error.message.split('\n')[0]!.replace(/\. Resolution note:.*$/, '')
  throw new KogiError('engine_unavailable', `The event store does not answer as it should: ${said}`)
}

const UNDEFINED_TABLE = '42P01'

/** Turns the error for a missing table into `no_tables`: nothing has made the table yet. */
export function asExpected(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string }
  if (code !== UNDEFINED_TABLE) return error
  const todo = 'run kogi migrate, and a projector once (kogi dev, or kogi projector)'
  return new KogiError('no_tables', `The database of the read models is not set up: ${message}; ${todo}.`)
}
