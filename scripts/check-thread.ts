/** Threads that check parts of an export beside this one: each loads the file that this stands in once more. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Lines, linesIn, type Thread } from '../read-api/audit/apart.ts'
import { type Part, type PartEnd, type PartSetting, partChecker } from '../read-api/audit/part-check.ts'
import { checkOptions } from './check-export.ts'

const NAME = 'check of a part of an export'
/** More threads would wait for the one that reads. */
const THREADS_MAX = 4

type Setting = { readonly name: typeof NAME; readonly setting: PartSetting }
type Ask = Lines | 'end'
type Answer = { readonly part: Part } | { readonly end: PartEnd } | { readonly fault: string }

type Running = Thread & { readonly stop: () => Promise<unknown> }

/** As many threads as the machine has cores for, beside this one. Throws where one of them cannot be started. */
export function startThreads(setting: PartSetting): readonly Running[] {
  const threads: Running[] = []
  try {
    for (let n = Math.min(THREADS_MAX, availableParallelism()); n > 1; n -= 1) threads.push(startThread(setting))
  } catch (error) {
    for (const thread of threads) void thread.stop()
    throw error
  }
  return threads
}

export function startThread(setting: PartSetting): Running {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { name: NAME, setting } satisfies Setting })
  const asked: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of asked.splice(0)) reject(failure)
  }
  worker.on('message', (answer: Answer) => {
    if ('fault' in answer) fail(new Error(answer.fault))
    else asked.shift()?.resolve(answer)
  })
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the thread has ended')))
  const ask = (question: Ask, transfer: readonly ArrayBuffer[] = []) =>
    new Promise<Answer>((resolve, reject) => {
      if (failure) return reject(failure)
      asked.push({ resolve, reject })
      worker.postMessage(question, transfer)
    })
  return {
    check: async lines => ((await ask(lines, [lines.bytes.buffer, lines.ends.buffer])) as { part: Part }).part,
    end: async () => ((await ask('end')) as { end: PartEnd }).end,
    stop: () => worker.terminate(),
  }
}

function serve(port: MessagePort, setting: PartSetting): void {
  const checker = partChecker(checkOptions(), setting)
  port.on('message', (ask: Ask) => {
    try {
      if (ask === 'end') return port.postMessage({ end: checker.end() } satisfies Answer)
      const part = checker.check(linesIn(ask))
      const { positions, commands, leaves } = part
      port.postMessage({ part } satisfies Answer, [positions.buffer, commands.buffer, leaves.buffer])
    } catch (error) {
      port.postMessage({ fault: String(error) } satisfies Answer)
    }
  })
}

const own = workerData as Partial<Setting> | null
if (!isMainThread && own?.name === NAME) serve(parentPort!, own.setting!)
