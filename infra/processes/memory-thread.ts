/**
 * The indexes of memories, in a thread of their own: what builds, searches and sums them up holds no request. The
 * thread loads the file that this stands in once more, at the first question.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { type ErrorDetail, KogiError } from '../../domain/kernel/errors.ts'
import { type MemoryIndex, memoryIndex } from '../../projections/memory/index.ts'
import { memories } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { erasedSubjects } from '../erasures/erased.ts'
import { commandStore } from '../event-store/command-store.ts'
import { indexFolder } from '../files/index-folder.ts'
import { indexKeys } from '../index-keys.ts'
import { keyring } from '../keyring.ts'
import { createLog, type Log, reasonOf } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import { createPool } from '../postgres.ts'

const NAME = 'indexes of memories'

type Setting = {
  readonly name: typeof NAME
  readonly config: Config
  readonly urls: EngineUrls
  readonly level: string
}

type Calls = Pick<MemoryIndex, 'search' | 'holds' | 'insights' | 'close'>
type Call = { readonly [K in keyof Calls]: { readonly name: K; readonly args: Parameters<Calls[K]> } }[keyof Calls]
type Things = Parameters<Parameters<MemoryIndex['insights']>[1]['readable']>[0]

/** What is asked of the thread, and what it asks while it is at work: which things may be read. */
type Question = { readonly id: number; readonly call: Call } | { readonly things: number; readonly answer: Settled }
type Answer = { readonly id: number; readonly answer: Settled } | { readonly about: number; things: Things; of: number }
type Settled =
  | { readonly value: unknown }
  | { readonly fault: string; readonly code?: string; readonly details?: readonly ErrorDetail[] }

type Waiting = {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  readonly readable?: ((things: Things) => Promise<readonly boolean[]>) | undefined
}

export type MemoryThread = Calls

/** Starts the thread when it is first asked, and again after it broke. */
export function memoryThread(options: {
  readonly config: Config
  readonly urls: EngineUrls
  readonly log: Pick<Log, 'warn' | 'level'>
}): MemoryThread {
  const { config, urls, log } = options
  const waiting = new Map<number, Waiting>()
  let running: Worker | undefined
  let asked = 0

  function start(): Worker {
    // Of the engines nothing but where they are: what stops them cannot be handed over.
    const { eventStoreUrl, databaseUrl, keysDatabaseUrl } = urls
    const setting: Setting = {
      name: NAME,
      config,
      urls: { eventStoreUrl, databaseUrl, keysDatabaseUrl },
      level: log.level,
    }
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: setting })
    const broken = (reason: string) => {
      if (running === worker) running = undefined
      for (const { reject } of waiting.values()) reject(gone(reason))
      waiting.clear()
    }
    worker.on('message', (answer: Answer) => heard(worker, answer))
    worker.on('error', error => {
      log.warn({ reason: reasonOf(error) }, 'the thread of the indexes of memories broke')
      broken(reasonOf(error))
    })
    worker.on('exit', () => broken('its thread has ended'))
    worker.unref()
    return worker
  }

  function heard(worker: Worker, answer: Answer): void {
    if ('about' in answer) {
      const { readable } = waiting.get(answer.of) ?? {}
      const found = readable ? readable(answer.things) : Promise.reject(gone('nobody waits for it'))
      void settled(found).then(value => worker.postMessage({ things: answer.about, answer: value } satisfies Question))
      return
    }
    const { resolve, reject } = waiting.get(answer.id)!
    waiting.delete(answer.id)
    if ('value' in answer.answer) resolve(answer.answer.value as never)
    else reject(faultOf(answer.answer))
  }

  const ask = <T>(call: Call, readable?: Waiting['readable']): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      running ??= start()
      asked += 1
      waiting.set(asked, { resolve, reject, readable })
      running.postMessage({ id: asked, call } satisfies Question)
    })

  return {
    search: (...args) => ask({ name: 'search', args }),
    holds: (...args) => ask({ name: 'holds', args }),
    insights: (org, { readable, ...query }) => ask({ name: 'insights', args: [org, query as never] }, readable),
    async close() {
      const worker = running
      if (!worker) return
      await ask({ name: 'close', args: [] }).catch(error =>
        log.warn({ reason: reasonOf(error) }, 'indexes were not kept'),
      )
      await worker.terminate()
    },
  }
}

const gone = (reason: string) =>
  new KogiError('engine_unavailable', `The index of memories does not answer: ${reason}.`)

const settled = (work: Promise<unknown>): Promise<Settled> =>
  work.then(
    value => ({ value }),
    error => {
      if (!(error instanceof KogiError)) return { fault: reasonOf(error) }
      const { message, code, details } = error
      return { fault: message, code, details }
    },
  )

const faultOf = ({ fault, code, details }: Exclude<Settled, { value: unknown }>): Error =>
  code === undefined ? new Error(fault) : new KogiError(code as KogiError['code'], fault, details)

/** What the thread itself does. */
function serve(port: MessagePort, { config, urls, level }: Setting): void {
  const log = createLog({ service: 'kogi-indexes', level })
  const index = openIndex(config, urls, log)
  const wanted = new Map<number, Pick<Waiting, 'resolve' | 'reject'>>()
  let asked = 0
  const readableFor = (of: number) => (things: Things) =>
    new Promise<readonly boolean[]>((resolve, reject) => {
      asked += 1
      wanted.set(asked, { resolve, reject })
      port.postMessage({ about: asked, things, of } satisfies Answer)
    })
  const work = async (id: number, call: Call): Promise<unknown> => {
    if (call.name === 'insights') {
      const [org, query] = call.args
      return index.insights(org, { ...query, readable: readableFor(id) })
    }
    return (index[call.name] as (...args: unknown[]) => Promise<unknown>)(...call.args)
  }
  port.on('message', (question: Question) => {
    if ('call' in question) {
      const { id, call } = question
      void settled(work(id, call)).then(answer => port.postMessage({ id, answer } satisfies Answer))
      return
    }
    const { resolve, reject } = wanted.get(question.things)!
    wanted.delete(question.things)
    if ('value' in question.answer) resolve(question.answer.value as never)
    else reject(faultOf(question.answer))
  })
}

function openIndex(config: Config, urls: EngineUrls, log: Log): Calls {
  const shared = { log, max: 2, connectTimeoutMs: config.databaseConnectTimeoutMs }
  const limits = { statementTimeoutMs: config.databaseStatementTimeoutMs }
  const pool = createPool({ url: urls.databaseUrl, name: 'read', ...shared, ...limits })
  const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', ...shared })
  const store = commandStore(urls.eventStoreUrl)
  const erased = erasedSubjects(store)
  const masters = masterKeysOf(config)
  const { open: unseal } = keyring(keys, { erased, masters })
  const onFault = (error: unknown) =>
    log.warn({ reason: reasonOf(error) }, 'a search index could not be stored or loaded')
  const stored = indexFolder(path.join(config.dataDir, 'indexes'), indexKeys(keys, masters))
  const known = { erased: erased.people, erasures: erased.count }
  const index = memoryIndex({ pool, memories, unseal, ...known, stored, onFault })
  return {
    ...index,
    async close() {
      await index.close()
      await Promise.allSettled([pool.end(), keys.end(), store.close()])
    },
  }
}

const own = workerData as Partial<Setting> | null
if (!isMainThread && own?.name === NAME) serve(parentPort!, own as Setting)
